"""The stored answers of the Responses API, bounded: the oldest goes first."""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime

from tollgate.local.simulator.json_types import JsonObject
from tollgate.local.simulator.refusals import (
    not_cancellable,
    previous_response_not_found,
    response_not_found,
)
from tollgate.local.simulator.request_log import LogEntry
from tollgate.local.simulator.response_answers import ResponseAnswer, Status

# The retrieval at which a background response without a set time is finished.
_LAST_POLL = 2


@dataclass(slots=True)
class StoredResponse:
    """A response, and how far it has come.

    Attributes:
        answer: What it says in each of its states.
        entry: The call that made it; it bears what is billed.
        background_s: Seconds that it takes from that call; None: it moves on with each retrieval.
        status: How far it has come; a background response moves on when it is looked at.
        polls: Retrievals until now.
    """

    answer: ResponseAnswer
    entry: LogEntry
    background_s: float | None
    status: Status
    polls: int = 0

    @property
    def ended(self) -> bool:
        """Whether its status is one that stays."""
        return self.status not in {"queued", "in_progress"}

    def state(self) -> JsonObject:
        """The response object in the status that it has."""
        if self.status == self.answer.last_status:
            return self.answer.finished()
        return self.answer.underway(self.status)

    def look(self, at: datetime) -> None:
        """Moves on to where it is at a time."""
        if self.ended:
            return
        share = self.polls / _LAST_POLL
        if self.background_s is not None:
            elapsed_s = (at - self.entry.at).total_seconds()
            share = elapsed_s / self.background_s if self.background_s else 1.0
        if share >= 1:
            self.finish()
        elif share >= 0.5:  # noqa: PLR2004 - the first half of the time is spent in the queue
            self.status = "in_progress"

    def finish(self) -> None:
        """Brings it to its end."""
        if not self.ended:
            self.status = self.answer.last_status

    def cancel(self) -> None:
        """Ends it early: the prompt is billed if it had begun, and nothing if it was queued."""
        begun = self.status == "in_progress"
        counts = self.answer.generation.counts_until(0)
        self.entry.usage = counts.response_usage() if begun else None
        self.status = "cancelled"


class StoredResponses:
    """Keeps responses under their ids.

    Args:
        most: How many responses are kept.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[str, StoredResponse] = OrderedDict()

    def keep(self, response: StoredResponse) -> None:
        """Stores a response, finished or not."""
        self._kept[response.answer.id] = response
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)

    def found(self, response_id: str) -> StoredResponse:
        """The response of that id.

        Raises:
            Refusal: 404, there is none with that id.
        """
        response = self._kept.get(response_id)
        if response is None:
            raise response_not_found(response_id)
        return response

    def poll(self, response_id: str, at: datetime) -> JsonObject:
        """The response as it stands; a background one may move on with each poll.

        Raises:
            Refusal: 404, there is none with that id.
        """
        response = self.found(response_id)
        response.polls += 1
        response.look(at)
        return response.state()

    def cancel(self, response_id: str, at: datetime) -> JsonObject:
        """Cancels a background response, and shows it; one that has ended stays as it is.

        Raises:
            Refusal: 404, there is none with that id; 400, it is not a background response.
        """
        response = self.found(response_id)
        if not response.answer.body.background:
            raise not_cancellable()
        response.look(at)
        if not response.ended:
            response.cancel()
        return response.state()

    def delete(self, response_id: str) -> JsonObject:
        """Forgets a response, and says so.

        Raises:
            Refusal: 404, there is none with that id.
        """
        self.found(response_id)
        del self._kept[response_id]
        return {"id": response_id, "object": "response", "deleted": True}

    def context_tokens(self, response_id: str | None) -> int:
        """Tokens that the continued conversation adds to the prompt; 0 for a new one.

        Raises:
            Refusal: 400, the conversation is not stored.
        """
        if response_id is None:
            return 0
        response = self._kept.get(response_id)
        if response is None:
            raise previous_response_not_found(response_id)
        counts = response.answer.generation.counts
        return counts.input + counts.output
