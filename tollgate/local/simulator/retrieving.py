"""Replies about stored responses: retrieved, streamed again, cancelled, listed, deleted."""

from itertools import islice, takewhile

from tollgate.local.simulator.billed_replies import nothing_billed, stream_reply
from tollgate.local.simulator.exchanges import Exchange, PlainReply, Reply
from tollgate.local.simulator.input_items import input_items, listed
from tollgate.local.simulator.json_types import JsonObject, encode
from tollgate.local.simulator.refusals import invalid_request, resource_not_found
from tollgate.local.simulator.response_frames import response_frames
from tollgate.local.simulator.routes import Route
from tollgate.local.simulator.stored_responses import StoredResponse, StoredResponses


def stored_reply(exchange: Exchange, route: Route, stored: StoredResponses) -> Reply:
    """The reply of an operation on a stored response.

    Args:
        exchange: The call.
        route: What is asked for, and of which response.
        stored: The region's responses.

    Raises:
        Refusal: 404, there is no such response; 400, a parameter is wrong or it cannot be done.
    """
    if route.response_id is None:
        raise resource_not_found()
    if route.operation == "responses.get" and exchange.entry.streamed:
        return _resumed(exchange, stored.found(route.response_id))
    return PlainReply(200, encode(_object(exchange, route, route.response_id, stored)), {})


def _object(
    exchange: Exchange, route: Route, response_id: str, stored: StoredResponses
) -> JsonObject:
    match route.operation:
        case "responses.get":
            return stored.poll(response_id, exchange.at)
        case "responses.cancel":
            return stored.cancel(response_id, exchange.at)
        case "responses.input_items":
            answer = stored.found(response_id).answer
            return listed(input_items(answer.body, answer.envelope.ids), exchange.query)
        case _:
            return stored.delete(response_id)


def _resumed(exchange: Exchange, response: StoredResponse) -> Reply:
    """The response's stream, after the event that the client saw last; it was billed before."""
    response.look(exchange.at)
    frames = response_frames(response.answer, obfuscate=False, at_end=response.finish)
    if response.status == "cancelled":
        frames = takewhile(lambda frame: frame.early, frames)
    unseen = islice(frames, _first(exchange), None)
    return stream_reply(exchange, "responses.get", unseen, nothing_billed)


def _first(exchange: Exchange) -> int:
    """The number of the first event to send; events are numbered from 0."""
    text = exchange.query.get("starting_after")
    if text is None:
        return 0
    if not (text.isascii() and text.isdigit()):
        raise invalid_request("'starting_after' must be a sequence number.", "starting_after")
    return int(text) + 1
