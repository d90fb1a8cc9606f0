"""The gateway's own log as a witness: what API Management saw pass, by deployment and day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from accountant.reconciliation.items import COMPLETION, PROMPT, REQUESTS, Day, Item
from accountant.reconciliation.naming import Naming
from accountant.reconciliation.sides import Provided, ProviderSide
from tollgate.usage.periods import Month

_COLUMNS: Final = {"PromptTokens": PROMPT, "CompletionTokens": COMPLETION, "Requests": REQUESTS}


def usage_by_deployment(start: datetime, end: datetime) -> str:
    """The query for tokens and requests by UTC day and deployment.

    A call has several rows of its messages; the one with its tokens names the deployment.

    Args:
        start: The first instant, UTC.
        end: The first instant after it.
    """
    return f"""ApiManagementGatewayLlmLog
| where TimeGenerated >= datetime({start:%Y-%m-%dT%H:%M:%SZ})
    and TimeGenerated < datetime({end:%Y-%m-%dT%H:%M:%SZ})
| where isnotempty(DeploymentName)
| summarize PromptTokens = sum(PromptTokens), CompletionTokens = sum(CompletionTokens),
    Requests = count() by Day = bin(TimeGenerated, 1d), DeploymentName
| order by Day asc, DeploymentName asc"""


def log_side(
    rows: Iterable[Mapping[str, Any]], period: Month, naming: Naming, of: str
) -> ProviderSide:
    """Add up the rows of that query.

    Args:
        rows: By column, with whole numbers and times in UTC.
        period: The month.
        naming: Finds our names.
        of: The workspace.
    """
    counts: defaultdict[Day, Provided] = defaultdict(Provided)
    for row in rows:
        day = row["Day"].date()
        if period.start.date() <= day < period.end.date():
            deployment = naming.deployment("", row["DeploymentName"])
            for column, meter in _COLUMNS.items():
                if row[column]:
                    item = Item(deployment=deployment, meter=meter)
                    counts[day, item].add(Provided(quantity=int(row[column])))
    return ProviderSide(source="log", of=(of,), counts=counts)
