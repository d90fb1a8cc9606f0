from tollgate.local.simulator.json_types import encode


def test_json_is_compact_utf8() -> None:
    assert encode({"a": [1, "ü"]}) == '{"a":[1,"ü"]}'.encode()
