"""A client's connection: its sessions, and the links that it attaches."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final

from eventhubs.addresses import path_of, reading_from, selector_of, sending_to
from eventhubs.amqp_types import Described, UInt, ULong
from eventhubs.faults import next_of
from eventhubs.frames import (
    ACCEPTED,
    ATTACH,
    BEGIN,
    CLOSE,
    DETACH,
    END,
    FLOW,
    MAX_FRAME_BYTES,
    OPEN,
    TRANSFER,
    Frame,
    frame,
    greet,
    read_frame,
)
from eventhubs.links import PartitionLink, ReceivingLink, ReplyLink, SendingLink
from eventhubs.messages import parse
from eventhubs.namespace import Namespace
from eventhubs.services import CBS, MANAGEMENT
from eventhubs.sessions import Session

_NO_ENTITY: Final = "amqp:not-found"
_OWNER_LEVEL: Final = "com.microsoft:epoch"
_SOURCE, _TARGET = Described(0x28, [None]), Described(0x29, [None])
AnyLink = ReceivingLink | SendingLink
Handler = Callable[[Frame], Awaitable[None]]


class Refused(Exception):  # noqa: N818  what becomes of a link
    """A link cannot be.

    Args:
        condition: The AMQP error.
        description: In words.
    """

    def __init__(self, condition: str, description: str) -> None:
        super().__init__(description)
        self.condition = condition


class Connection:
    """Serves one client until it leaves.

    Args:
        namespace: What it speaks to.
        reader: Its bytes.
        writer: Takes the broker's.
    """

    def __init__(
        self, namespace: Namespace, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._namespace = namespace
        self._reader = reader
        self._writer = writer
        self._max_frame_bytes = MAX_FRAME_BYTES
        self._sessions: dict[int, Session] = {}
        self._links: dict[tuple[int, int], AnyLink] = {}
        self._handlers: dict[int, Handler] = {
            OPEN: self._on_open,
            BEGIN: self._on_begin,
            ATTACH: self._on_attach,
            FLOW: self._on_flow,
            TRANSFER: self._on_transfer,
            DETACH: self._on_detach,
            END: self._on_end,
        }

    async def serve(self) -> None:
        """Answer every frame."""
        try:
            await greet(self._reader, self._writer)
            while True:
                incoming = await read_frame(self._reader)
                if incoming is None:
                    continue
                if incoming.code == CLOSE:
                    self._writer.write(frame(0, CLOSE, []))
                    return
                if handler := self._handlers.get(incoming.code):
                    await handler(incoming)
                await self._writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            for link in self._links.values():
                self._namespace.forget(link)
            self._writer.close()

    def drop(self) -> None:
        """Break the connection off."""
        self._writer.transport.abort()

    async def _on_open(self, opened: Frame) -> None:
        self._max_frame_bytes = min(opened.fields[2] or MAX_FRAME_BYTES, MAX_FRAME_BYTES)
        self._writer.write(frame(0, OPEN, ["broker", None, UInt(MAX_FRAME_BYTES)]))

    async def _on_begin(self, begin: Frame) -> None:
        session = Session(begin, self._writer.write, self._max_frame_bytes)
        self._sessions[begin.channel] = session
        session.send(BEGIN, session.begin_fields)

    async def _on_attach(self, attach: Frame) -> None:
        handle: int = attach.fields[1]
        session = self._sessions[attach.channel]
        refusal: Refused | None = None
        link: AnyLink = SendingLink(session, handle)
        try:
            link = self._link_of(session, attach)
        except Refused as error:
            refusal = error
        session.send(ATTACH, _attached(attach, self._namespace.max_message_bytes))
        if refusal is not None:
            link.detach(refusal.condition, str(refusal))
            return
        self._links[attach.channel, handle] = link
        if isinstance(link, ReceivingLink):
            link.grant()
        elif isinstance(link, PartitionLink):
            self._namespace.admit(link)

    def _link_of(self, session: Session, attach: Frame) -> AnyLink:
        _, handle, client_reads, _, _, source, target, *_ = attach.fields
        path = path_of(source if client_reads else target)
        if path in {CBS, MANAGEMENT}:
            if client_reads:
                return ReplyLink(session, handle, path)
            return ReceivingLink(session, handle, partial(self._take_request, session, path))
        if fault := next_of(self._namespace.faults.attaches):
            raise Refused(fault, "a fault on demand")
        if client_reads:
            return self._reader_link(session, attach, path)
        return self._sender_link(session, handle, path)

    def _sender_link(self, session: Session, handle: int, path: str) -> ReceivingLink:
        address = sending_to(path)
        hub = address and self._namespace.hubs.get(address.hub)
        if address is None or hub is None or address.partition not in {None, *hub.partitions}:
            raise Refused(_NO_ENTITY, f"there is no {path}")
        take = partial(self._take_events, address.hub, address.partition)
        link = ReceivingLink(session, handle, lambda message, form: take(link, message, form))
        return link

    def _reader_link(self, session: Session, attach: Frame, path: str) -> PartitionLink:
        address = reading_from(path)
        hub = address and self._namespace.hubs.get(address.hub)
        partition = hub and hub.partitions.get(str(address and address.partition))
        if address is None or partition is None:
            raise Refused(_NO_ENTITY, f"there is no {path}")
        properties: dict[str, Any] = attach.fields[13] or {}
        group = address.hub, str(address.group), partition.id
        link = PartitionLink(
            session, attach.fields[1], group, partition, properties.get(_OWNER_LEVEL)
        )
        try:
            link.position = partition.position(selector_of(attach.fields[5]))
        except ValueError as error:
            raise Refused("com.microsoft:argument-error", str(error)) from None
        if self._namespace.owned_by_higher(link):
            raise Refused("amqp:link:stolen", "a reader with a higher owner level is there")
        return link

    async def _take_request(
        self, session: Session, node: str, message: bytes, _: int
    ) -> Described | None:
        replies = next(
            link
            for (channel, _), link in self._links.items()
            if channel == session.channel and isinstance(link, ReplyLink) and link.node == node
        )
        replies.answer(self._namespace.services.answer(node, parse(message)))
        return ACCEPTED

    async def _take_events(
        self, hub: str, partition: str | None, link: ReceivingLink, message: bytes, form: int
    ) -> Described | None:
        return await self._namespace.take(hub, partition, message, form, self._ending(link))

    def _ending(self, link: ReceivingLink) -> Callable[[str | None], None]:
        """Ends the link with an error, or the connection without a word."""

        def end(condition: str | None) -> None:
            if condition is None:
                self.drop()
            else:
                self._links.pop((link.session.channel, link.handle), None)
                link.detach(condition, "a fault on demand")

        return end

    async def _on_flow(self, flow: Frame) -> None:
        self._sessions[flow.channel].on_flow(flow.fields)
        link = self._links.get((flow.channel, flow.fields[4]))
        if isinstance(link, SendingLink):
            link.on_flow(flow.fields)

    async def _on_transfer(self, transfer: Frame) -> None:
        self._sessions[transfer.channel].on_transfer()
        link = self._links.get((transfer.channel, transfer.fields[0]))
        if isinstance(link, ReceivingLink):  # else it came after the link's end
            await link.on_transfer(transfer)

    async def _on_detach(self, detach: Frame) -> None:
        if link := self._links.pop((detach.channel, detach.fields[0]), None):
            self._namespace.forget(link)
            link.detach()

    async def _on_end(self, end: Frame) -> None:
        self._sessions[end.channel].send(END, [])


def _attached(attach: Frame, max_message_bytes: int) -> list[Any]:
    """The fields of the broker's attach frame."""
    name, handle, client_reads, sends, receives, source, target, *_ = attach.fields
    termini = [source or _SOURCE, target or _TARGET]
    sequence = UInt(0) if client_reads else None
    ends = [name, UInt(handle), not client_reads, sends, receives, *termini]
    return [*ends, None, None, sequence, ULong(max_message_bytes), None, None, {}]
