from __future__ import annotations

import pytest
from proxying import KEY, FakeClock, RecordingSink, directory

from tollgate.proxy.admission import Admissions
from tollgate.proxy.client_messages import read_head
from tollgate.proxy.messages import Request
from tollgate.proxy.metering import Call, Meter

KEYED = ("api-key", KEY)


class Admitting:
    def __init__(self, region_header: str | None = None) -> None:
        self.directory = directory()
        self.admissions = Admissions(self.directory, region_header)

    def remembers(self, request: Request) -> bool:
        return self.admissions.known(request) is not None

    def region(self, request: Request) -> str | None:
        known = self.admissions.known(request)
        if known is None:
            request_id, caller = self.directory.identify(request)
            assert caller
            call = Call(Meter("gw", RecordingSink(), FakeClock().clock), request_id)
            known = self.admissions.admit(request, caller, call)
        return known.client_region


def asked(
    *headers: tuple[str, str], path: str = "/v1/chat/completions", varying: str | None = None
) -> Request:
    return Request(
        method="POST",
        path=path,
        query="",
        headers=(KEYED, *headers),
        varying=(("request-id", varying),) if varying else (),
        body=None,
    )


def test_the_same_head_is_remembered_and_no_other() -> None:
    admitting = Admitting("x-region")
    assert admitting.region(asked(("x-region", "a"))) == "a"
    assert admitting.remembers(asked(("x-region", "a"), varying="1"))
    assert admitting.region(asked(("x-region", "b"))) == "b"
    assert not admitting.remembers(asked(("x-region", "a"), ("x-priority", "low")))


def test_a_region_in_a_header_that_varies_is_read_each_time() -> None:
    admitting = Admitting("request-id")
    found = [admitting.region(asked(varying=region)) for region in ("a", None, "b", None)]
    assert found == ["a", None, "b", None]


@pytest.mark.parametrize("headers", [(("x-a", "a" * 4096),), (("x-a", ""),) * 100])
def test_long_heads_are_not_remembered(headers: tuple[tuple[str, str], ...]) -> None:
    admitting = Admitting()
    admitting.region(asked(*headers))
    assert not admitting.remembers(asked(*headers))
    raw = tuple((name, value.encode()) for name, value in headers)
    first, second = (read_head(b"POST", b"/v1/x", raw, ()) for _ in range(2))
    assert first == second
    assert first.headers is not second.headers


def test_those_that_are_remembered_are_bounded() -> None:
    admitting = Admitting()
    for number in range(1025):
        admitting.region(asked(("x-a", str(number))))
    assert admitting.remembers(asked(("x-a", "1024")))
    assert not admitting.remembers(asked(("x-a", "0")))
