"""Puts what is wrong in tollgate.yaml into words that repeat no value that may be a secret."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sized
from typing import Any, Final, TypeVar, cast

from pydantic import ValidationError

# Names stand in events, which allow neither control characters nor line ends.
NAME: Final = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$"
KEY_HASH: Final = r"^sha256:[0-9a-f]{64}$"
AUTH: Final = r"^(managed_identity|env:[A-Za-z_][A-Za-z0-9_]*)$"
URL: Final = r"^https?://[^\s?#@]+$"
CURRENCY: Final = r"^[A-Z]{3}$"
API_ID: Final = r"^[0-9A-Za-z._-]{1,128}$"
HEADER_NAME: Final = r"^[a-z0-9-]{1,64}$"
_AMOUNT: Final = re.compile(r"[0-9]{1,15}(\.[0-9]{1,6})?")
_RESERVED_TENANT: Final = "unallocated"

Collected = TypeVar("Collected", bound=Sized)

_IN_WORDS: Final = {
    API_ID: "must be an id of up to 128 letters, digits, dots, dashes and underscores",
    NAME: "must not hold control characters or line ends",
    KEY_HASH: "must be sha256: and the 64 lower-case hex digits of the key's SHA-256",
    AUTH: "must be managed_identity, or env: and the name of an environment variable",
    URL: "must be an http or https URL without user, query and fragment",
    CURRENCY: "must be an ISO 4217 code such as USD",
    HEADER_NAME: "must be the name of an HTTP header in lower case",
}
_BY_TYPE: Final = {
    "extra_forbidden": "unknown key",
    "missing": "is missing",
    "model_type": "must be a mapping of keys to values",
    "tuple_type": "must be a list",
}


def exact_amount(value: object) -> object:
    """An amount of money as it may be written.

    Raises:
        ValueError: It is no decimal number, or a float, which is not exact.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not _AMOUNT.fullmatch(value):
        raise ValueError('must be a whole number, or a decimal number in quotes such as "500.00"')
    return value


def not_empty(value: Collected) -> Collected:
    """A collection with something in it.

    Raises:
        ValueError: There is nothing.
    """
    if not value:
        raise ValueError("must not be empty")
    return value


def problem_lines(error: ValidationError) -> list[str]:
    """Each problem of one value, with its place."""
    return [_line(entry) for entry in error.errors(include_input=False, include_url=False)]


def _line(entry: Mapping[str, Any]) -> str:
    if entry["type"] == "string_pattern_mismatch":
        return f"{_place(entry['loc'])}: {_IN_WORDS[entry['ctx']['pattern']]}"
    message = str(entry["msg"]).removeprefix("Value error, ")
    message = message.replace("Input should be", "must be").replace("should", "must")
    message = message[:1].lower() + message[1:]
    return f"{_place(entry['loc'])}: {_BY_TYPE.get(entry['type'], message)}"


def _place(steps: Iterable[str | int]) -> str:
    place = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    printable = "".join(character if character.isprintable() else "?" for character in place)
    return printable.removeprefix(".") or "the file"


def contradictions(raw: object) -> list[str]:
    """What no single value shows: names, keys and codes that stand in two places."""
    backends, tenants = _mappings(raw, "backends"), _mappings(raw, "tenants")
    names = [name for tenant in tenants for name in {*_folded(tenant, "name", "aliases")}]
    keys, trusted = _all(tenants, "keys"), _strings(_mapping(raw, "gateway"), "trusted_callers")
    return [
        *_each("backends: the name {!r} stands twice", _repeated(_all(backends, "name"))),
        *_each("tenants: the name or alias {!r} stands at two tenants", _repeated(names)),
        *_each("tenants: the name {!r} is Tollgate's own", {*names} & {_RESERVED_TENANT}),
        *_each("tenants: {} stands twice", map(_key, _repeated(keys))),
        *_each("tenants: {} stands in gateway.trusted_callers", map(_key, _both(keys, trusted))),
        *_each(
            "tenants: the subscription {!r} stands twice", _repeated(_all(tenants, "subscriptions"))
        ),
        *(
            f"tenants: billing code {code!r} stands twice at {tenant.get('name')!r}"
            for tenant in tenants
            for code in _repeated(_folded(tenant, "billing_codes"))
        ),
    ]


def _each(template: str, values: Iterable[str]) -> list[str]:
    return [template.format(value) for value in values]


def _key(key: str) -> str:
    """A key's digest in short; what is no digest may be the key itself."""
    return f"the key {key[:15]}…" if re.fullmatch(KEY_HASH, key) else "a key"


def _mapping(raw: object, member: str) -> Mapping[str, object]:
    found = cast("Mapping[str, object]", raw).get(member) if isinstance(raw, Mapping) else None
    return cast("Mapping[str, object]", found) if isinstance(found, Mapping) else {}


def _mappings(raw: object, member: str) -> list[Mapping[str, object]]:
    found = cast("Mapping[str, object]", raw).get(member) if isinstance(raw, Mapping) else None
    items = cast("list[object]", found) if isinstance(found, list) else []
    return [cast("Mapping[str, object]", item) for item in items if isinstance(item, Mapping)]


def _strings(mapping: Mapping[str, object], member: str) -> list[str]:
    value = mapping.get(member)
    values = cast("list[object]", value) if isinstance(value, list) else [value]
    return [item for item in values if isinstance(item, str)]


def _folded(mapping: Mapping[str, object], *members: str) -> list[str]:
    return [text.casefold() for member in members for text in _strings(mapping, member)]


def _all(mappings: Iterable[Mapping[str, object]], member: str) -> list[str]:
    return [text for mapping in mappings for text in _strings(mapping, member)]


def _both(some: Iterable[str], others: Iterable[str]) -> list[str]:
    return sorted({*some} & {*others})


def _repeated(values: Iterable[str]) -> list[str]:
    return [value for value, count in Counter(values).items() if count > 1]
