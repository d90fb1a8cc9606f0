"""Reads answers of Azure Monitor's metrics: one of many resources, or `az monitor metrics list`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple

import msgspec
from pydantic import BaseModel, Field, ValidationError

from accountant.reconciliation.csv_files import Problems
from accountant.reconciliation.naming import account_of

PROMPT_TOKENS: Final = "ProcessedPromptTokens"
GENERATED_TOKENS: Final = "GeneratedTokens"
REQUEST_COUNT: Final = "AzureOpenAIRequests"
# Of each resource and metric so many series are asked for; as many as that may be a part of them.
MAX_SERIES: Final = 1000
METRICS: Final = {name.lower(): name for name in (PROMPT_TOKENS, GENERATED_TOKENS, REQUEST_COUNT)}
_DAY: Final = timedelta(days=1)
_DEPLOYMENT: Final = "modeldeploymentname"
_STATUS: Final = "statuscode"
_OF_RESOURCE: Final = "/providers/microsoft.insights/metrics/"


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """One sum of one series.

    Args:
        resource: ARM id or name.
        metric: `ProcessedPromptTokens`, `GeneratedTokens` or `AzureOpenAIRequests`.
        deployment: Azure's name; empty: calls of none.
        status: The HTTP status; None: the series is not split by it.
        day: The UTC day.
        total: The sum.
        series: What tells it from all other points.
        place: Where it stands.
    """

    resource: str
    metric: str
    deployment: str
    status: str | None
    day: date
    total: int
    series: tuple[str, ...]
    place: str


class _Name(BaseModel):
    value: str


class _Dimension(BaseModel):
    name: _Name
    value: str = ""


class _Value(BaseModel):
    timeStamp: datetime  # noqa: N815  Azure's name
    total: Decimal | None = None


class _Series(BaseModel):
    metadatavalues: list[_Dimension] = []
    data: list[_Value] = []


class _Metric(BaseModel):
    id: str = ""
    name: _Name
    timeseries: list[_Series] = []
    errorCode: str | None = None  # noqa: N815  same
    errorMessage: str | None = None  # noqa: N815  same


class _Answer(BaseModel):
    value: list[_Metric]
    interval: timedelta = _DAY
    resourceid: str = ""


class _Answers(BaseModel):
    values: list[_Answer] = Field(min_length=1)


def metrics_points(document: bytes, name: str, problems: Problems) -> Iterator[Point]:
    """The points of one answer of the service, as it was sent or saved.

    Args:
        document: The JSON.
        name: What to call it.
        problems: Gets what is wrong, and what is not the whole answer.
    """
    try:
        members: Any = json.loads(document, parse_float=Decimal)
        many = isinstance(members, dict) and "values" in members
        answers = _Answers.model_validate(members if many else {"values": [members]})
    except ValidationError as error:
        for each in error.errors():
            place = ".".join(str(part) for part in each["loc"])
            problems.add(f"{name}: {place}: {each['msg']}")
        return
    except ValueError as error:  # UnicodeDecodeError, too
        problems.add(f"{name}: is not JSON: {error}")
        return
    reading = _Reading(name, problems)
    for answer in answers.values:
        yield from reading.points(answer)


class _Of(NamedTuple):
    """What a series is of."""

    resource: str
    metric: str
    place: str


class _Reading:
    """Reads the answers of one document."""

    def __init__(self, name: str, problems: Problems) -> None:
        self._name = name
        self._problems = problems

    def points(self, answer: _Answer) -> Iterator[Point]:
        if answer.interval > _DAY:
            self._tell(f"has sums of {answer.interval}; ask for an interval of P1D")
        for metric in answer.value:
            resource = answer.resourceid or _resource(metric.id)
            place = f"{metric.name.value} of {account_of(resource) or 'no resource'}"
            self._check(place, metric)
            if known := METRICS.get(metric.name.value.lower()):
                for series in metric.timeseries:
                    yield from self._series(_Of(resource, known, place), series, answer)

    def _check(self, place: str, metric: _Metric) -> None:
        if metric.errorCode not in {None, "Success"}:
            why = metric.errorMessage or "no more is said"
            self._tell(f"{place}: {metric.errorCode}: {why}")
        if len(metric.timeseries) >= MAX_SERIES:
            self._tell(f"{place}: has {len(metric.timeseries):,} series, and perhaps more")

    def _series(self, of: _Of, series: _Series, answer: _Answer) -> Iterator[Point]:
        dimensions = {each.name.value.lower(): each.value for each in series.metadatavalues}
        if _DEPLOYMENT not in dimensions:
            if series.data:
                self._tell(f"{of.place}: is not split by ModelDeploymentName")
            return
        told = tuple(f"{name}={value}" for name, value in sorted(dimensions.items()))
        for value in series.data:
            time = value.timeStamp.astimezone(UTC) if value.timeStamp.tzinfo else None
            if value.total is None:
                continue
            if time is None or (answer.interval == _DAY and time.hour + time.minute):
                self._tell(f"{of.place}: {value.timeStamp} begins no UTC day")
            elif value.total < 0 or value.total != value.total.to_integral_value():
                self._tell(f"{of.place}: {time:%Y-%m-%d %H:%M}: {value.total} is no count")
            else:
                yield Point(
                    resource=of.resource,
                    metric=of.metric,
                    deployment=dimensions[_DEPLOYMENT],
                    status=dimensions.get(_STATUS),
                    day=time.date(),
                    total=int(value.total),
                    series=(of.resource.lower(), of.metric, *told, str(time)),
                    place=f"{self._name}: {of.place}: {time:%Y-%m-%d %H:%M}",
                )

    def _tell(self, problem: str) -> None:
        self._problems.add(f"{self._name}: {problem}")


def _resource(metric_id: str) -> str:
    """The resource in the id of a metric."""
    return metric_id[: max(metric_id.lower().find(_OF_RESOURCE), 0)]
