from __future__ import annotations

import msgspec
from stored import stored, waiting

from tollgate.proxy.stored_responses import StoredResponse


def test_a_stored_response_survives_json() -> None:
    for response in (stored(), waiting()):
        encoded = msgspec.json.encode(response)
        assert msgspec.json.decode(encoded, type=StoredResponse) == response


def test_one_without_a_word_on_pending_waits_for_nothing() -> None:
    members = msgspec.to_builtins(stored())
    del members["pending"]
    assert msgspec.convert(members, StoredResponse).pending is None
