"""The schema file, the examples and the decoder are one contract."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from builders import raw_event

from tollgate.errors import InvalidEvent
from tollgate.usage import event as event_module
from tollgate.usage.event import UsageData, UsageEvent, decode_event, encode_event
from tollgate.usage.tokens import Tokens

SCHEMA_FILE = Path(event_module.__file__).with_name("usage_event.v1.json")
SCHEMA: dict[str, Any] = msgspec.json.decode(SCHEMA_FILE.read_bytes())
EXAMPLES = sorted((Path(__file__).parents[1] / "examples/usage_event/1").glob("*.json"))
FROZEN = "a448321a8dcbb2ed87f21e2becee1376251e23dbdabe1685665769861aa128ac"

validator: Any = jsonschema.Draft202012Validator(SCHEMA)


def test_version_1_is_frozen() -> None:
    """Optional members may be added: then pin the new digest. Anything else is a version 2."""
    assert sha256(SCHEMA_FILE.read_bytes()).hexdigest() == FROZEN


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_decodes_and_agrees_with_the_schema(example: Path) -> None:
    raw = example.read_bytes()
    validator.validate(msgspec.json.decode(raw))
    received = decode_event(raw)
    validator.validate(msgspec.json.decode(encode_event(received.event)))


@pytest.mark.parametrize(
    ("definition", "struct"), [("data", UsageData), ("tokens", Tokens)], ids=["data", "tokens"]
)
def test_schema_and_decoder_name_the_same_members(definition: str, struct: Any) -> None:
    assert set(SCHEMA["$defs"][definition]["properties"]) == set(struct.__struct_fields__)
    required = {
        field.name
        for field in msgspec.structs.fields(struct)
        if field.default is msgspec.NODEFAULT and field.default_factory is msgspec.NODEFAULT
    }
    assert set(SCHEMA["$defs"][definition]["required"]) == required


def test_schema_and_decoder_name_the_same_attributes() -> None:
    assert set(SCHEMA["properties"]) == set(UsageEvent.__struct_fields__)


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        ("specversion", "0.3"),
        ("type", "tollgate.usage.v2"),
        ("id", ""),
        ("data.tenant", "a\u0000b"),
        ("data.tenant", None),
        ("data.provenance", "guessed"),
        ("data.deployment_type", "reserved"),
        ("data.status", 1000),
        ("data.tokens", {"input": -1, "output": 0}),
        ("data.tokens", {"input": 1.5, "output": 0}),
        ("data.tokens", {"input": True, "output": 0}),
        ("data.tokens", {"input": 10**12 + 1, "output": 0}),
        ("data.tokens", None),
        ("data.units", {"Images": 1}),
        ("data.units", {"cached_input": 1}),
        ("data.units", {f"images:{size}": 1 for size in range(33)}),
        ("data.streamed", "yes"),
    ],
)
def test_what_the_schema_refuses_the_decoder_refuses(path: str, wrong: Any) -> None:
    members = msgspec.json.decode(raw_event())
    holder = members["data"] if path.startswith("data.") else members
    holder[path.removeprefix("data.")] = wrong
    assert not validator.is_valid(members)
    with pytest.raises(InvalidEvent):
        decode_event(msgspec.json.encode(members))
