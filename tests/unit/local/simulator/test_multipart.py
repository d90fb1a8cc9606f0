import pytest

from tollgate.local.simulator.multipart import MOST_PARTS, UploadedFile, read_form
from tollgate.local.simulator.refusals import Refusal

TYPE = 'multipart/form-data; boundary="b1"'


def _part(disposition: str, value: bytes) -> bytes:
    head = f"--b1\r\nContent-Disposition: form-data; {disposition}\r\n\r\n".encode()
    return head + value + b"\r\n"


def test_fields_and_files_are_read() -> None:
    body = _part('name="prompt"', "Zürich".encode()) + _part(
        'name="image[]"; filename="a"', b"\0\r"
    )
    form = read_form(body + b"--b1--\r\n", TYPE)
    assert form.fields == {"prompt": "Zürich"}
    assert form.files == {"image": [UploadedFile("a", 2)]}


@pytest.mark.parametrize("value", [b"", b"\r\n\r\n", b"inside --b1 a line", bytes(range(256))])
def test_any_bytes_are_measured(value: bytes) -> None:
    form = read_form(_part('name="file"; filename="a"', value) + b"--b1--", TYPE)
    assert form.files["file"][0].size_bytes == len(value)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"{}", "application/json"),
        (b"--b1--", "multipart/form-data"),
        (b"", TYPE),
        (b"no boundary", TYPE),
        (_part('name="a"', b"cut short"), TYPE),
        (_part('filename="a"', b"no name") + b"--b1--", TYPE),
        (b"--b1\r\nno head\r\n--b1--", TYPE),
        (_part('name="a"', b"\xff") + b"--b1--", TYPE),
        (_part('name="a"', b"") * (MOST_PARTS + 1) + b"--b1--", TYPE),
    ],
)
def test_what_is_no_form_is_refused(body: bytes, content_type: str) -> None:
    with pytest.raises(Refusal) as refused:
        read_form(body, content_type)
    assert refused.value.status == 400
