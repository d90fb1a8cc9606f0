"""The stored answers of the Responses API, bounded: the oldest goes first."""

from collections import OrderedDict, deque
from collections.abc import Iterable

from tollgate.local.simulator.json_types import JsonObject
from tollgate.local.simulator.refusals import previous_response_not_found, response_not_found


class StoredResponses:
    """Keeps finished responses, and the states that a background one still goes through.

    Args:
        most: How many responses are kept.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._states: OrderedDict[str, deque[JsonObject]] = OrderedDict()
        self._tokens: dict[str, int] = {}

    def keep(self, response_id: str, states: Iterable[JsonObject], tokens: int) -> None:
        """Stores a response.

        Args:
            response_id: Its id.
            states: What successive polls see; the last one stays.
            tokens: Tokens of the conversation up to its end.
        """
        self._states[response_id] = deque(states)
        self._tokens[response_id] = tokens
        while len(self._states) > self._most:
            oldest, _ = self._states.popitem(last=False)
            del self._tokens[oldest]

    def poll(self, response_id: str) -> JsonObject:
        """The response as it stands; a background one moves on with each poll.

        Raises:
            Refusal: 404, there is none with that id.
        """
        states = self._states.get(response_id)
        if states is None:
            raise response_not_found(response_id)
        return states.popleft() if len(states) > 1 else states[0]

    def delete(self, response_id: str) -> JsonObject:
        """Forgets a response, and says so.

        Raises:
            Refusal: 404, there is none with that id.
        """
        if self._states.pop(response_id, None) is None:
            raise response_not_found(response_id)
        del self._tokens[response_id]
        return {"id": response_id, "object": "response", "deleted": True}

    def context_tokens(self, response_id: str | None) -> int:
        """Tokens that the continued conversation adds to the prompt; 0 for a new one.

        Raises:
            Refusal: 400, the conversation is not stored.
        """
        if response_id is None:
            return 0
        if response_id not in self._tokens:
            raise previous_response_not_found(response_id)
        return self._tokens[response_id]
