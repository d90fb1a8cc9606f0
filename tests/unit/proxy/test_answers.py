from __future__ import annotations

from proxying import backend, target

from tollgate.proxy.answers import answer_headers, json_answer, remaining_headers, with_headers
from tollgate.proxy.capacity import Remaining
from tollgate.proxy.deliveries import WholeDelivery
from tollgate.proxy.messages import Headers
from tollgate.proxy.pool import Target


def headers(*sent: tuple[str, str], served: Target | None = None) -> Headers:
    served = served or target()
    delivery = WholeDelivery(
        asked=served, target=served, attempts=2, status=200, headers=sent, body=b""
    )
    return answer_headers(delivery)


def test_the_providers_headers_pass_and_who_served_is_added() -> None:
    assert headers(("content-type", "text/plain"), ("x-ms-region", "West Europe")) == (
        ("content-type", "text/plain"),
        ("x-ms-region", "West Europe"),
        ("x-tollgate-backend", "weu-1"),
        ("x-tollgate-attempts", "2"),
    )


def test_what_speaks_of_the_upstreams_connection_or_of_us_is_dropped() -> None:
    dropped = ("connection", "transfer-encoding", "content-length", "set-cookie", "x-request-id")
    sent = [(name, "x") for name in (*dropped, "x-tollgate-backend", "x-tollgate-made-up")]
    assert dict(headers(*sent)) == {"x-tollgate-backend": "weu-1", "x-tollgate-attempts": "2"}


def test_a_backends_name_is_fit_for_a_header() -> None:
    served = Target(backend("Zürich\r\n1"), target().deployment)
    assert dict(headers(served=served))["x-tollgate-backend"] == "Z%C3%BCrich%0D%0A1"


def test_what_remains_is_said_where_it_is_known() -> None:
    assert remaining_headers(None) == ()
    assert remaining_headers(Remaining(tokens=None, requests=None)) == ()
    assert remaining_headers(Remaining(tokens=0, requests=7)) == (
        ("x-tollgate-remaining-tokens", "0"),
        ("x-tollgate-remaining-requests", "7"),
    )


def test_more_headers_change_nothing_else() -> None:
    answer = json_answer({"a": 1})
    more = with_headers(answer, (("x-request-id", "1"),))
    assert (more.status, more.body) == (200, b'{"a":1}')
    assert more.headers == (("content-type", "application/json"), ("x-request-id", "1"))
