"""What a request's head decides: who pays, what is asked, what of the head goes upstream.

Clients send the same head again and again, so what one decides is remembered. Nothing of it
depends on the headers that an edge keeps apart as varying, unless the client's region stands there.
"""

from __future__ import annotations

from typing import Final

import msgspec

from tollgate.proxy.billing_parameters import (
    Claims,
    read_claims,
    read_query,
    split_query,
    split_stored_query,
)
from tollgate.proxy.identity import Caller, Directory, Payer, forwarded_claims
from tollgate.proxy.lanes import parse_lane
from tollgate.proxy.messages import Headers, Request
from tollgate.proxy.metering import Call
from tollgate.proxy.routes import ListRoute, Route, StoredRoute, find_route
from tollgate.proxy.upstream_requests import forwarded_headers

_MOST_KEPT: Final = 1024
_LONGEST_KEPT: Final = 4096
_HEADER_BYTES: Final = 64  # what a header takes in memory beside its text
HeadKey = tuple[str, str, str, Headers]


class Admission(msgspec.Struct, frozen=True, kw_only=True):
    """A head that is let through.

    Args:
        caller: Who calls.
        payer: Who the call is charged to.
        route: What is asked.
        query: What of the query goes upstream.
        headers: What of the headers goes upstream, without those that vary.
        content_type: Of the body.
        client_region: Where the client says it is, if anybody asks.
    """

    caller: Caller
    payer: Payer
    route: Route | StoredRoute | ListRoute
    query: str
    headers: dict[str, str]
    content_type: str | None
    client_region: str | None


class Admissions:
    """Admits requests, by the settings of one gateway.

    Args:
        directory: Knows the payers.
        region_header: The header that names the client's region; None where nobody asks.
    """

    def __init__(self, directory: Directory, region_header: str | None = None) -> None:
        self._directory = directory
        self._region_header = region_header
        self._known: dict[HeadKey, Admission] = {}

    def known(self, request: Request) -> Admission | None:
        """What was decided of a request with the same head before."""
        if self._region_header is not None and self._varies(request):
            return None
        return self._known.get(_key(request))

    def admit(self, request: Request, caller: Caller, call: Call) -> Admission:
        """Decide, and tell `call` what is known of it, step by step.

        Raises:
            Refusal: The request is not let through.
        """
        claims, query = _claims(request, caller)
        call.payer = self._directory.payer(caller, claims)
        route = find_route(request.method, request.path)
        call.api = route.api
        if isinstance(route, Route):
            asked = request.header("x-priority"), request.header("priority")
            lane = parse_lane(*asked, caller.tenant.priority)
            call.payer = msgspec.structs.replace(call.payer, priority=lane)
        region = request.header(self._region_header) if self._region_header else None
        admission = Admission(
            caller=caller,
            payer=call.payer,
            route=route,
            query=query,
            headers=forwarded_headers(request.headers),
            content_type=request.header("content-type"),
            client_region=region or caller.tenant.region,
        )
        self._keep(request, admission)
        return admission

    def _varies(self, request: Request) -> bool:
        """Whether what is decided depends on a header that stands apart."""
        return self._region_header in [name for name, _ in request.varying]

    def _keep(self, request: Request, admission: Admission) -> None:
        length = len(request.path) + len(request.query)
        length += sum([len(name) + len(value) + _HEADER_BYTES for name, value in request.headers])
        if length > _LONGEST_KEPT or self._varies(request):
            return
        if len(self._known) >= _MOST_KEPT:
            self._known.clear()
        self._known[_key(request)] = admission


def _key(request: Request) -> HeadKey:
    return request.method, request.path, request.query, request.headers


def _claims(sent: Request, caller: Caller) -> tuple[Claims, str]:
    """What the caller says of itself, and what of the query goes upstream.

    Raises:
        Refusal: 400 for a claim that cannot be read.
    """
    is_stored = "/responses/" in sent.path
    if not is_stored and not caller.trusted:
        return read_query(sent.query)
    found, query = (split_stored_query if is_stored else split_query)(sent.query)
    return (forwarded_claims(sent) if caller.trusted else read_claims(found)), query
