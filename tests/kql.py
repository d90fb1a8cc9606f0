"""Reads queries in KQL as far as tests need it: which names they use."""

from __future__ import annotations

import json
import re
from pathlib import Path

TABLES: dict[str, dict[str, str]] = json.loads(
    (Path(__file__).parent / "contract/log_tables.json").read_text("utf-8")
)["tables"]

WORDS = set(
    re.findall(
        r"\w+",
        """
        ago and arg_max asc between bin by count countif datetime desc dynamic expand extend iff
        in inner isempty isnotempty isnull join kind leftouter let long max mv now null on order
        parse_json prev project startofmonth startswith strcat strlen substring sum summarize
        take_any tolong toreal tostring where
        """,
    )
)


def bare(query: str) -> str:
    """The query without its comments, texts, spans of time and members of dynamic values."""
    return re.sub(
        r'//.*|"[^"]*"|datetime\([^)]*\)|\b\d+[smhd]\b|(?<=\w)\.\w+|(?<=\))\.\w+', " ", query
    )


def unknown_names(query: str) -> set[str]:
    """Names that are no column of the query's tables, no word of KQL and not made by the query."""
    text = bare(query)
    names = set(re.findall(r"[A-Za-z_]\w*", text))
    made = set(re.findall(r"(\w+)\s*=(?!=)", text))
    columns = {column for table in names & set(TABLES) for column in TABLES[table]}
    # `X = sum(X)` makes X of X: what is read must be a column still, or made before.
    read = set(re.findall(r"(?:sum|countif|isnull)\((\w+)", text))
    extended = set(re.findall(r"(\w+)\s*=(?!=)", " ".join(re.findall(r"\| extend([^|]*)", text))))
    return (names - columns - made - WORDS - set(TABLES)) | (read - columns - extended - WORDS)
