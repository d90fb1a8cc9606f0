from __future__ import annotations

from proxying import request


def test_the_first_header_of_a_name_counts() -> None:
    made = request(headers=(("accept", "a"), ("accept", "b")))
    assert made.header("accept") == "a"
    assert made.header("cookie") is None
