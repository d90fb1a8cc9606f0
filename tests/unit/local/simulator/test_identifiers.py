from uuid import UUID

from tollgate.local.simulator.identifiers import Identifiers


def test_ids_repeat_for_the_same_seed_only() -> None:
    assert Identifiers("a").prefixed("resp_") == Identifiers("a").prefixed("resp_")
    assert Identifiers("a").prefixed("resp_") != Identifiers("b").prefixed("resp_")


def test_request_ids_are_uuids() -> None:
    assert UUID(Identifiers("a").uuid("request")).version == 4


def test_labels_tell_ids_of_one_answer_apart() -> None:
    assert Identifiers("a").prefixed("call_", "0") != Identifiers("a").prefixed("call_", "1")
