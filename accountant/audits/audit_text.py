"""An audit and a trace as text for people, or as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from accountant.audits.audit import Audit, Difference
from accountant.audits.trace import Line, Request
from accountant.labels import label, shown
from tollgate.ledger.rebuild import Rebuilt

_SKU_SHOWN = ("model", "model_version", "backend", "provenance")


def audit_lines(found: Audit) -> Iterator[str]:
    """What was found, a line each; the last lines say what that was all."""
    yield from (f"differs: {difference_text(each)}" for each in found.differences)
    for each in found.contradictions:
        what = (
            "counted too, as the ledger could not see the first" if each.counted else "kept aside"
        )
        yield (
            f"contradicts: id {shown(each.event_id)} of {shown(each.gateway)},"
            f" {shown(each.tenant)}, {each.hour}: {what}"
        )
    yield from (f"broken: {shown(each)}" for each in found.breaks)
    if found.unsealed:
        count, first = len(found.unsealed), shown(found.unsealed[0])
        yield f"note: {count:,} files are not sealed to their end (tollgate seal), first {first}"
    yield (
        f"{found.period}, hours before {found.until}: {found.events:,} events"
        f" ({found.duplicates:,} repeated), {len(found.differences):,} differences,"
        f" {len(found.contradictions):,} contradictions, {len(found.breaks):,} breaks"
    )
    yield f"manifest: {found.manifest or 'none'}"


def difference_text(each: Difference) -> str:
    """A difference in words."""
    who = f" {label('user', each.user)}" if each.cell == "user" else ""
    sku = "/".join(shown(each.sku[name] or "-") for name in _SKU_SHOWN)
    said = [
        f"{quantity:,} in {requests:,}" if each.meter else f"{quantity:,}"
        for quantity, requests in (each.archive, each.ledger)
    ]
    return (
        f"{shown(each.tenant)} {each.period} {label('billing_code', each.billing_code)}{who} {sku}"
        f" {each.meter or 'requests'}: archive says {said[0]}, ledger says {said[1]}"
    )


def changes_text(found: Sequence[Difference]) -> str:
    """What a rebuild would change, a line each."""
    lines = [f"would change: {difference_text(each)}\n" for each in found]
    return "".join(lines) or "nothing would change\n"


def rebuilt_text(found: Rebuilt) -> str:
    """What a rebuild counted, in words."""
    return (
        f"generation {found.generation}: {found.events:,} events,"
        f" {found.duplicates:,} of them repeated, {found.conflicts:,} in conflict, kept aside,"
        f" {found.refused:,} refused; {found.appended:,} came meanwhile"
    )


def as_json(found: Audit | Rebuilt | Mapping[str, object]) -> str:
    """The whole of it, as one object."""
    return msgspec.json.format(msgspec.json.encode(found)).decode() + "\n"


def trace_lines(line: Line, requests: Sequence[Request]) -> Iterator[str]:
    """A request a line, tab-separated, then their sum."""
    for each in requests:
        cells = (each.time, each.id, each.gateway, each.backend or "-", str(each.quantity))
        yield "\t".join(map(shown, cells))
    total = sum(each.quantity for each in requests)
    of_what = f", {total:,} {line.meter}" if line.meter else ""
    yield f"{len(requests):,} requests{of_what}"


def trace_json(requests: Sequence[Request]) -> str:
    """The requests and their sum, as one object."""
    total = sum(each.quantity for each in requests)
    return as_json({"requests": requests, "count": len(requests), "quantity": total})
