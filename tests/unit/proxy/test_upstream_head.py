from __future__ import annotations

import pytest

from tollgate.proxy.ports import UpstreamRequest
from tollgate.proxy.upstream_head import Origin, request_start, split_url

ORIGIN = Origin("h", 80, tls=False, authority="h")

URLS = {
    "http://h": (Origin("h", 80, tls=False, authority="h"), "/"),
    "https://a.b/": (Origin("a.b", 443, tls=True, authority="a.b"), "/"),
    "https://h:8/x?a=1&&b=%zz": (Origin("h", 8, tls=True, authority="h:8"), "/x?a=1&&b=%zz"),
    "http://[::1]:7/y": (Origin("::1", 7, tls=False, authority="[::1]:7"), "/y"),
    "http://h/x?a#fragment": (Origin("h", 80, tls=False, authority="h"), "/x?a"),
    "http://h/x?\xc3\xa9": (Origin("h", 80, tls=False, authority="h"), "/x?\xc3\xa9"),
}


def head(
    headers: dict[str, str] | None = None, method: str = "POST", body: bytes = b"{}"
) -> list[str]:
    request = UpstreamRequest("http://h/x", headers or {}, body, method)
    origin, start = request_start(request)
    assert origin == ORIGIN
    return start.decode("latin-1").split("\r\n")


@pytest.mark.parametrize(("url", "parts"), URLS.items())
def test_a_url_has_an_origin_and_a_target(url: str, parts: tuple[Origin, str]) -> None:
    assert split_url(url) == parts


@pytest.mark.parametrize(
    "url",
    [
        "",
        "h/x",
        "ftp://secret/",
        "http:///secret",
        "http://secret:x/",
        "http://[secret/",
        "http://user:secret@h/",
        "http://h?secret",
        "http://sec ret/",
        "http://secret\r\n/",
        "http://h/secret x",
        "http://h/secret\r\nx: y",
        "http://h/\x7fsecret",
        "http://h/\u2028secret",
    ],
)
def test_a_url_that_cannot_be_asked_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(ValueError, match="the URL") as refused:
        split_url(url)
    assert "secret" not in str(refused.value)


def test_a_head_has_its_request_line_its_host_and_its_length() -> None:
    assert head({"x-a": "caf\xe9"}) == [
        "POST /x HTTP/1.1",
        "host: h",
        "x-a: caf\xe9",
        "content-length: 2",
        "",
        "",
    ]


def test_a_post_without_a_body_has_a_length() -> None:
    assert "content-length: 0" in head(body=b"")


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_another_request_without_a_body_has_none(method: str) -> None:
    assert head(method=method, body=b"") == [f"{method} /x HTTP/1.1", "host: h", "", ""]


@pytest.mark.parametrize("bad", ["a\r\nx: y", "a\nb", "a\rb", "a\0b", "a\u2028"])
def test_no_header_can_end_its_line(bad: str) -> None:
    for headers in ({"x": bad}, {bad: "x"}):
        with pytest.raises(ValueError, match="a header has"):
            head(headers)
    with pytest.raises(ValueError, match="a header has"):
        head(method=bad)


@pytest.mark.parametrize("name", ["Host", "content-length", "Transfer-Encoding", "connection"])
def test_what_bounds_a_message_is_not_the_callers_to_set(name: str) -> None:
    with pytest.raises(ValueError, match="not the caller's"):
        head({name: "5"})
