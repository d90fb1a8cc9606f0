from __future__ import annotations

import os
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from exporting import usage
from stating import document, facts, statement

from accountant.errors import WriterEnded
from accountant.statements.document_html import document_html
from accountant.statements.document_markdown import document_markdown
from accountant.statements.drawing_up import drawn_up
from accountant.statements.statement_files import (
    DocumentFormat,
    document_bytes,
    write_document,
    write_statements,
)
from accountant.statements.tenant_statement import TenantStatement

MANY = 150
BEGINNINGS: dict[DocumentFormat, bytes] = {
    "html": b"<!doctype html>",
    "md": b"# Statement",
    "xlsx": b"PK",
    "pdf": b"%PDF",
}


def statements(count: int) -> Iterator[TenantStatement]:
    return drawn_up(facts(), (usage(tenant=f"t{at:03}") for at in range(count)))


@pytest.mark.parametrize("layout", BEGINNINGS)
def test_a_file_is_of_its_format_and_named_after_month_and_tenant(
    layout: DocumentFormat, tmp_path: Path
) -> None:
    path = write_document(tmp_path, "2026-10", "a/b", (document(), layout))
    assert path.name == f"report-2026-10.a%2Fb.{layout}"
    assert path.read_bytes().startswith(BEGINNINGS[layout])


def test_text_formats_are_what_their_writers_say() -> None:
    assert document_bytes(document(), "html").decode() == document_html(document())
    assert document_bytes(document(), "md").decode() == document_markdown(document())


def test_few_are_written_here(tmp_path: Path) -> None:
    told: list[int] = []
    assert write_statements(statements(3), "md", tmp_path, told.append, 2) == 3
    assert told == [1, 2, 3]
    assert len(list(tmp_path.iterdir())) == 3


def test_many_are_written_by_several_processes_as_one_would_write_them(tmp_path: Path) -> None:
    told: list[int] = []
    there, here = tmp_path / "there", tmp_path / "here"
    assert write_statements(statements(MANY), "md", there, told.append, 2) == MANY
    assert told == sorted(told)
    assert told[-1] == MANY
    assert write_statements(statements(MANY), "md", here, told.append, 1) == MANY
    assert contents(there) == contents(here)


def test_what_a_process_could_not_write_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        write_statements(statements(MANY), "md", tmp_path / "file", print, 2)


class Deadly:
    """Ends the process that reads it."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os._exit, (9,)


def test_a_process_that_was_ended_is_told(tmp_path: Path) -> None:
    deadly: Any = Deadly()
    with pytest.raises(WriterEnded, match="was ended; is memory short"):
        write_statements([*statements(MANY), deadly], "md", tmp_path, print, 2)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_statements_can_be_sent_to_another_process() -> None:

    sent = pickle.loads(pickle.dumps(statement()))  # noqa: S301  ours
    assert sent == statement()
    assert sent.digest == statement().digest
