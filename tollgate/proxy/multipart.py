"""Reads the text fields of a multipart/form-data body, and replaces one in its bytes.

Form: https://www.rfc-editor.org/rfc/rfc7578. What two parsers could read differently is refused:
the region must find in the form what we found in it.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser

from tollgate.proxy.refusals import Refusal

MAX_PARTS: Final = 128
MAX_FIELD_BYTES: Final = 128 * 1024  # a prompt may have 32,000 characters, of up to 4 bytes each
_MAX_HEADERS: Final = 8
_MAX_HEADER_BYTES: Final = 2048

_CONTENT_TYPE: Final = re.compile(
    r"multipart/form-data[ \t]*;[ \t]*boundary="
    r"""(?:"([0-9A-Za-z'()+_,./:=?-]{1,70})"|([0-9A-Za-z'+_.-]{1,70}))[ \t]*""",
    re.IGNORECASE | re.ASCII,
)
# A backslash stands before a backslash only: whether it escapes a quote is read in two ways.
_PARAMETER: Final = r"""[ \t]*;[ \t]*([a-z*]+)=("(?:[^"\\]|\\\\)*"|[!#$%&'*+.^_`|~0-9a-z-]+)"""
_DISPOSITION: Final = re.compile(
    rf"form-data(?:{_PARAMETER}){{1,3}}[ \t]*", re.IGNORECASE | re.ASCII
)
_ONE_PARAMETER: Final = re.compile(_PARAMETER, re.IGNORECASE | re.ASCII)
_PARAMETERS: Final = (["name"], ["filename", "name"], ["filename", "filename*", "name"])
_NAME: Final = re.compile(r"[A-Za-z0-9_.\[\]-]{1,128}")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_CHARSET: Final = re.compile(r"charset[ \t*]*=[ \t]*\"?([^\s\";]*)", re.IGNORECASE)
_UTF_8: Final = frozenset({"utf-8", "utf8", "us-ascii"})
_AS_IT_IS: Final = frozenset({"7bit", "8bit", "binary"})


class _Part(msgspec.Struct):
    """A part as the parser finds it: its headers, and where its content lies in the body."""

    headers: list[tuple[str, str]] = []
    start: int = 0
    end: int = 0


class Form(msgspec.Struct, frozen=True):
    """A form that was read.

    Args:
        body: The bytes as sent.
        boundary: What parts them.
        fields: The text of every part that is no file; a list, `name[]`, is left out.
        places: Where each of `fields` lies in the body.
    """

    body: bytes
    boundary: bytes
    fields: dict[str, str]
    places: dict[str, tuple[int, int]]

    def with_field(self, name: str, value: str) -> bytes:
        """The body with another value for a field that it has; no other byte changes.

        Raises:
            KeyError: The form has no such field.
            Refusal: 400 if the value holds the boundary that the client chose.
        """
        start, end = self.places[name]
        written = value.encode()
        if b"--" + self.boundary in written:
            raise _invalid("its boundary is too common.")
        return b"".join((self.body[:start], written, self.body[end:]))


def read_form(content_type: str, body: bytes) -> Form:
    """Read a form.

    Raises:
        Refusal: 400 if it is malformed, can be read in two ways, names a field twice, or has more
            than `MAX_PARTS` parts or a field above `MAX_FIELD_BYTES`.
    """
    boundary = _boundary(content_type)
    fields: dict[str, str] = {}
    places: dict[str, tuple[int, int]] = {}
    seen: dict[str, bool] = {}  # name -> whether it was a file; some servers tell no case apart
    for part in _parts(boundary, body):
        name, is_file = _named(part)
        is_list = name.endswith("[]")
        if seen.setdefault(name.casefold(), is_file) != is_file:
            raise _invalid(f"the field {name} is a file and is not.", name)
        if is_file:
            continue
        text = _text(name, body[part.start : part.end])
        if not is_list:
            if name.casefold() in map(str.casefold, fields):
                raise _invalid(f"the field {name} stands twice.", name)
            fields[name], places[name] = text, (part.start, part.end)
    return Form(body, boundary, fields, places)


def _boundary(content_type: str) -> bytes:
    match = _CONTENT_TYPE.fullmatch(content_type)
    if match is None:
        raise _invalid("its content type must be multipart/form-data with a boundary alone.")
    return (match[1] or match[2]).encode()


def _parts(boundary: bytes, body: bytes) -> list[_Part]:
    """The parts; there must be nothing but them and plain boundaries in the body."""
    delimiter = b"--" + boundary
    found = body.count(delimiter)
    if found > MAX_PARTS + 1:
        raise _invalid(f"it has more than {MAX_PARTS} parts.")
    try:
        parts = _PartReader(boundary).read(body)
    except FormParserError:
        raise _invalid("its parts cannot be told apart.") from None
    line = b"\r\n" + delimiter + b"\r\n"
    between = [body[part.end : part.end + len(line)] for part in parts[:-1]]
    rest = body[parts[-1].end :] if parts else body
    if (
        found != len(parts) + 1
        or not body.startswith(line[2:])
        or any(bytes_between != line for bytes_between in between)
        or rest.removesuffix(b"\r\n") != b"\r\n" + delimiter + b"--"
    ):
        raise _invalid("there is more in it than parts with its boundary between them.")
    return parts


class _PartReader:
    """Gathers what the parser calls back with: offsets into the body."""

    def __init__(self, boundary: bytes) -> None:
        self._parts: list[_Part] = []
        self._header: str | None = None
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": lambda: self._parts.append(_Part()),
                "on_header_field": self._see_name,
                "on_header_value": self._see_value,
                "on_header_end": self._end_header,
                "on_part_data": self._see_data,
            },
            max_header_count=_MAX_HEADERS,
            max_header_size=_MAX_HEADER_BYTES,
        )

    def read(self, body: bytes) -> list[_Part]:
        self._parser.write(body)
        return self._parts

    def _see_name(self, body: bytes, start: int, end: int) -> None:
        self._header = body[start:end].decode("latin-1").lower()

    def _see_value(self, body: bytes, start: int, end: int) -> None:
        part = self._parts[-1]
        part.headers.append((self._header or "", body[start:end].decode("latin-1")))
        part.start = part.end = end + len(b"\r\n\r\n")  # if no header follows
        self._header = None

    def _end_header(self) -> None:
        if self._header is not None:
            raise _invalid("a part has an empty header.")

    def _see_data(self, body: bytes, start: int, end: int) -> None:  # noqa: ARG002  as called
        self._parts[-1].end = end


def _named(part: _Part) -> tuple[str, bool]:
    """The part's name, and whether it is a file."""
    headers = dict(part.headers)
    if len(headers) < len(part.headers) or any(map(_CONTROL.search, headers.values())):
        raise _invalid("a part has a header twice, or a control character in one.")
    disposition = headers.get("content-disposition", "")
    parameters = _ONE_PARAMETER.findall(disposition)
    named = {name.lower(): value.strip('"') for name, value in parameters}
    if not _DISPOSITION.fullmatch(disposition) or sorted(named) not in _PARAMETERS:
        raise _invalid("a part's Content-Disposition is not plain.")
    if len(named) < len(parameters) or not _NAME.fullmatch(named["name"]):
        raise _invalid("a part's name is not plain.")
    if headers.get("content-transfer-encoding", "binary").lower() not in _AS_IT_IS:
        raise _invalid("a part's content is encoded.")
    is_file = "filename" in named
    if not is_file and not _is_utf_8(headers.get("content-type", "")):
        raise _invalid("a field must be UTF-8.", named["name"])
    return named["name"], is_file


def _is_utf_8(content_type: str) -> bool:
    return all(name.lower() in _UTF_8 for name in _CHARSET.findall(content_type))


def _text(name: str, content: bytes) -> str:
    if len(content) > MAX_FIELD_BYTES:
        raise _invalid(f"the field {name} has more than {MAX_FIELD_BYTES} bytes.", name)
    if name.casefold() == "_charset_":
        raise _invalid("a field must be UTF-8.", name)
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise _invalid("a field must be UTF-8.", name) from None


def _invalid(reason: str, param: str | None = None) -> Refusal:
    return Refusal(
        400, "invalid_form", f"The request body is not a form to be read: {reason}", param=param
    )
