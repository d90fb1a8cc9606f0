"""Reads `multipart/form-data` bodies; files are measured, not kept."""

from email.message import Message
from email.parser import BytesHeaderParser

from msgspec import Struct

from tollgate.local.simulator.refusals import invalid_request

MOST_PARTS = 100
_HEADERS = BytesHeaderParser()


class UploadedFile(Struct, frozen=True):
    """A file of a form.

    Attributes:
        name: Its file name.
        size_bytes: Its length.
    """

    name: str
    size_bytes: int


class Form(Struct, frozen=True):
    """A form that was sent.

    Attributes:
        fields: Text fields by name; the last one of a name counts.
        files: Files by the name of their field, in order; "image[]" counts as "image".
    """

    fields: dict[str, str]
    files: dict[str, list[UploadedFile]]


def read_form(content: bytes, content_type: str) -> Form:
    """The fields and files of a body.

    Raises:
        Refusal: 400, the body is not a form, is cut short, or has too many parts.
    """
    boundary = _boundary(content_type)
    opening, *parts = (b"\r\n" + content).split(b"\r\n--" + boundary)
    if not parts or not parts[-1].startswith(b"--") or len(parts) > MOST_PARTS or opening.strip():
        raise _unreadable()
    form = Form({}, {})
    for part in parts[:-1]:
        _add(form, part)
    return form


def _boundary(content_type: str) -> bytes:
    header = Message()
    header["content-type"] = content_type
    boundary = header.get_boundary()
    if header.get_content_type() != "multipart/form-data" or not boundary:
        raise invalid_request(
            "Invalid content type. The request body must be multipart/form-data with a boundary."
        )
    return boundary.encode("utf-8", "surrogateescape")


def _add(form: Form, part: bytes) -> None:
    head, ended, value = part.partition(b"\r\n\r\n")
    headers = _HEADERS.parsebytes(head.lstrip(b"\r\n"))
    name = headers.get_param("name", header="content-disposition")
    if not ended or not isinstance(name, str):
        raise _unreadable()
    file_name = headers.get_filename()
    if file_name is not None:
        files = form.files.setdefault(name.removesuffix("[]"), [])
        files.append(UploadedFile(file_name, len(value)))
        return
    try:
        form.fields[name] = value.decode()
    except UnicodeDecodeError:
        raise _unreadable() from None


def _unreadable() -> Exception:
    return invalid_request("We could not parse the form data in the body of your request.")
