"""Statements as files, one a tenant and one of the month; in parallel where there are many."""

# A format's code is imported when something is written in it.
# ruff: noqa: PLC0415

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import chain, islice
from multiprocessing import get_context
from pathlib import Path
from typing import Final, Literal

from accountant.errors import WriterEnded
from accountant.reports.report_file import file_name, write_report
from accountant.statements.document import Document
from accountant.statements.statement_document import statement_document
from accountant.statements.tenant_statement import TenantStatement

DocumentFormat = Literal["html", "xlsx", "md", "pdf"]
_FEW: Final = 48  # are written before a process would have started
_CHUNK: Final = 16
_AHEAD: Final = 2  # chunks that wait for each process


def document_bytes(document: Document, layout: DocumentFormat) -> bytes:
    """The document in a format; the same bytes for the same document."""
    if layout == "html":
        from accountant.statements.document_html import document_html

        return document_html(document).encode()
    if layout == "md":
        from accountant.statements.document_markdown import document_markdown

        return document_markdown(document).encode()
    if layout == "pdf":
        from accountant.statements.document_pdf import document_pdf

        return document_pdf(document)
    from accountant.statements.document_xlsx import document_xlsx

    return document_xlsx(document)


def write_document(
    directory: Path, period: str, tenant: str | None, content: tuple[Document, DocumentFormat]
) -> Path:
    """Write a document's file; None is everyone's.

    Raises:
        OSError: It cannot be written; an older file is as it was.
    """
    name = file_name(period, tenant, content[1])
    return write_report(directory, name, document_bytes(*content))


def write_statements(
    statements: Iterable[TenantStatement],
    layout: DocumentFormat,
    directory: Path,
    told: Callable[[int], object],
    processes: int,
) -> int:
    """Write every statement, and give back how many there are.

    Args:
        statements: As they come; only some are held at once.
        layout: How they are written.
        directory: Made if it is not there.
        told: Hears how many are written.
        processes: How many may write, if there are many statements.

    Raises:
        OSError: One cannot be written; those written before are whole.
        WriterEnded: A process was ended by something else.
    """
    source = iter(statements)
    first = list(islice(source, _FEW))
    if len(first) < _FEW or processes == 1:
        return _written_here(chain(first, source), layout, directory, told)
    context = get_context("spawn")  # a fork would share the connection to Redis
    try:
        with ProcessPoolExecutor(processes, mp_context=context) as pool:
            return _written_there(
                pool, processes, _chunks(chain(first, source)), (layout, directory, told)
            )
    except BrokenProcessPool:
        raise WriterEnded(
            "a process that wrote statements was ended; is memory short? Run again, or a tenant"
            " at a time with --tenant"
        ) from None


def _written_here(
    statements: Iterable[TenantStatement],
    layout: DocumentFormat,
    directory: Path,
    told: Callable[[int], object],
) -> int:
    count = 0
    for count, statement in enumerate(statements, 1):
        _write([statement], layout, directory)
        told(count)
    return count


def _written_there(
    pool: ProcessPoolExecutor,
    processes: int,
    chunks: Iterator[list[TenantStatement]],
    how: tuple[DocumentFormat, Path, Callable[[int], object]],
) -> int:
    """Chunks go to processes; no more wait than keep these busy."""
    layout, directory, told = how
    running: deque[Future[int]] = deque()
    count = 0
    try:
        for chunk in chunks:
            running.append(pool.submit(_write, chunk, layout, directory))
            if len(running) >= processes * _AHEAD:
                count += running.popleft().result()
                told(count)
        while running:
            count += running.popleft().result()
            told(count)
    except BaseException:
        pool.shutdown(cancel_futures=True)
        raise
    return count


def _chunks(statements: Iterator[TenantStatement]) -> Iterator[list[TenantStatement]]:
    while chunk := list(islice(statements, _CHUNK)):
        yield chunk


def _write(statements: list[TenantStatement], layout: DocumentFormat, directory: Path) -> int:
    for each in statements:
        content = statement_document(each), layout
        write_document(directory, str(each.report.period), each.tenant, content)
    return len(statements)
