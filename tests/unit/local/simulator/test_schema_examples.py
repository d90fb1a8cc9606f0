import pytest
from jsonschema import validate

from tollgate.local.simulator.json_types import JsonObject
from tollgate.local.simulator.schema_examples import example

SCHEMAS: list[JsonObject] = [
    {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    {"type": "array", "items": {"type": "integer"}, "minItems": 1},
    {"enum": ["a", "b"]},
    {"anyOf": [{"type": "boolean"}, {"type": "null"}]},
    {"type": ["null", "string"]},
    {"const": 3},
    {
        "$defs": {"a": {"type": "number"}},
        "type": "object",
        "properties": {"x": {"$ref": "#/$defs/a"}},
    },
]


@pytest.mark.parametrize("schema", SCHEMAS)
def test_example_follows_its_schema(schema: JsonObject) -> None:
    validate(example(schema, "word"), schema)


def test_endless_schema_has_an_end() -> None:
    schema: JsonObject = {"$defs": {"a": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"}
    assert example(schema, "word") is None
