from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tollgate.proxy.multipart import MAX_FIELD_BYTES, MAX_PARTS, Form, read_form
from tollgate.proxy.refusals import Refusal

BOUNDARY = "----boundary7"
TYPE = f"multipart/form-data; boundary={BOUNDARY}"
SOUND = 'Content-Disposition: form-data; name="file"; filename="a.mp3"\r\nContent-Type: audio/mpeg'


def headed(name: str) -> str:
    return f'Content-Disposition: form-data; name="{name}"'


def form_of(*parts: tuple[str, bytes], boundary: str = BOUNDARY) -> bytes:
    written = [f"--{boundary}\r\n{head}\r\n\r\n".encode() + body + b"\r\n" for head, body in parts]
    return b"".join(written) + f"--{boundary}--\r\n".encode()


def read(*parts: tuple[str, bytes]) -> Form:
    return read_form(TYPE, form_of(*parts))


def refused(body: bytes, content_type: str = TYPE) -> Refusal:
    with pytest.raises(Refusal) as refusal:
        read_form(content_type, body)
    assert (refusal.value.status, refusal.value.code) == (400, "invalid_form")
    return refusal.value


def test_text_fields_are_found_and_files_are_not_fields() -> None:
    form = read((headed("model"), b"whisper"), (SOUND, b"\r\n\x00\xff--"), (headed("prompt"), b""))
    assert form.fields == {"model": "whisper", "prompt": ""}


def test_a_field_is_replaced_and_every_other_byte_stays() -> None:
    parts = [(SOUND, b"\x00\xff\r\n"), (headed("model"), b"alias"), (headed("n"), "2€".encode())]
    renamed = read(*parts).with_field("model", "whisper-weu")
    assert renamed == form_of(parts[0], (headed("model"), b"whisper-weu"), parts[2])


def test_an_empty_field_can_be_given_a_value() -> None:
    form = read((headed("model"), b""), (SOUND, b""))
    assert form.with_field("model", "m") == form_of((headed("model"), b"m"), (SOUND, b""))


def test_a_value_with_the_clients_boundary_in_it_is_refused() -> None:
    form = read_form("multipart/form-data; boundary=1", form_of((headed("m"), b"x"), boundary="1"))
    with pytest.raises(Refusal):
        form.with_field("m", "whisper--1")


def test_a_field_that_is_not_there_cannot_be_replaced() -> None:
    with pytest.raises(KeyError):
        read((headed("n"), b"1")).with_field("model", "m")


@pytest.mark.parametrize(
    "head",
    [
        "Content-Disposition: form-data; name=model",
        'content-disposition:form-data; name="model"',
        'Content-Disposition: form-data; name="model"\r\nContent-Type: text/plain; charset=utf-8',
        "Content-Type: text/plain\r\nContent-Length: 1\r\n" + headed("model"),
        'Content-Disposition: form-data; name="model"\r\nContent-Transfer-Encoding: 8bit',
    ],
)
def test_the_spellings_of_common_clients_are_read(head: str) -> None:
    assert read((head, b"m")).fields == {"model": "m"}


@pytest.mark.parametrize(
    "names",
    [
        "name=file; filename=a.mp3; filename*=utf-8''a.mp3",
        'name="file"; filename="Übung \\\\ 1.mp3"',
        'filename="a;b=c.mp3"; name="file"',
    ],
)
def test_the_file_names_of_common_clients_are_read(names: str) -> None:
    assert read((f"Content-Disposition: form-data; {names}", b"x")).fields == {}


@pytest.mark.parametrize(
    "head",
    [
        "Content-Type: text/plain",
        "Content-Disposition: attachment; name=model",
        "Content-Disposition: form-data",
        'Content-Disposition: form-data; filename="a"',
        "Content-Disposition: form-data; name*=utf-8''model",
        "Content-Disposition: form-data; name=\"a\"; name*=utf-8''model",
        "Content-Disposition: form-data; name=a; filename*=utf-8''x",
        'Content-Disposition: form-data; name="a"; name="model"',
        'Content-Disposition: form-data; name="a"; NAME="model"',
        'Content-Disposition: form-data; name="a\\"; name="model"',
        'Content-Disposition: form-data; name="a"; filename="x\\"; y="',
        'Content-Disposition: form-data; name="a"; size=3',
        'Content-Disposition: form-data; name=""',
        'Content-Disposition: form-data; name="mod%65l"',
        'Content-Disposition: form-data; name="möde"',
        "Content-Disposition: form-data; name='model'",
        'Content-Disposition: form-data; name="model" trailing',
        headed("a") + "\r\n" + headed("model"),
        headed("a") + "\r\ncontent-disposition: form-data; name=model",
        headed("a") + "\r\nX: y\nContent-Disposition: form-data; name=model",
        headed("a") + "\r\n folded: x",
        headed("a") + "\r\nX:",
        headed("a") + "\r\nContent-Transfer-Encoding: base64",
        headed("a") + "\r\nContent-Type: text/plain; charset=utf-16",
        headed("a") + "\r\nContent-Type: text/plain; charset = iso-8859-1",
        "Content-Disposition : form-data; name=model",
        headed("a") + "".join(f"\r\nX-{number}: y" for number in range(8)),
        headed("a" * 3000),
    ],
)
def test_headers_that_could_be_read_in_two_ways_are_refused(head: str) -> None:
    refused(form_of((head, b"x")))


def test_the_parts_must_be_parted_plainly() -> None:
    plain = form_of((headed("a"), b"x"), (headed("b"), b"y"))
    line = f"--{BOUNDARY}".encode()
    assert read_form(TYPE, plain.removesuffix(b"\r\n")).fields == {"a": "x", "b": "y"}
    for odd in (
        b"",
        line + b"--\r\n",
        b"preamble\r\n" + plain,
        b"\r\n" + plain,
        plain + b"epilogue",
        plain + plain,
        plain.replace(b"\r\n", b"\n"),
        plain.replace(line + b"\r\n", line + b" \r\n"),
        plain.replace(line + b"\r\n", line + b"\n", 1),
        plain.removesuffix(line + b"--\r\n"),
        plain.removesuffix(b"--\r\n"),
        plain.replace(b"x", line + b"x"),
        plain.replace(b"x", b"x\n" + line + b"\nContent-Disposition: form-data; name=model\n\nz"),
        plain.replace(headed("a").encode() + b"\r\n", b""),
    ):
        refused(odd)


@pytest.mark.parametrize(
    "content_type",
    [
        "multipart/form-data",
        "multipart/mixed; boundary=a",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=a; boundary=b",
        "multipart/form-data; boundary*=utf-8''a",
        "multipart/form-data; boundary=a; charset=utf-16",
        'multipart/form-data; boundary="a',
        "multipart/form-data; boundary=" + "a" * 71,
        "multipart/form-data; boundary=a\n",
        "application/json",
    ],
)
def test_a_content_type_without_one_plain_boundary_is_refused(content_type: str) -> None:
    refused(form_of((headed("model"), b"m"), boundary="a"), content_type)


def test_a_quoted_boundary_is_read() -> None:
    body = form_of((headed("model"), b"m"), boundary="=_1:/?")
    assert read_form('Multipart/Form-Data;boundary="=_1:/?"', body).fields == {"model": "m"}


@pytest.mark.parametrize("second", ["model", "MODEL"])
def test_a_field_that_stands_twice_is_refused(second: str) -> None:
    assert refused(form_of((headed("model"), b"a"), (headed(second), b"a"))).param == second


def test_a_field_that_is_also_a_file_is_refused() -> None:
    refused(form_of((SOUND, b"x"), (headed("file"), b"y")))
    refused(form_of((headed("file"), b"y"), (SOUND, b"x")))


def test_files_and_lists_may_stand_many_times() -> None:
    items = [(headed("include[]"), b"a"), (headed("include[]"), b"b"), (headed("n"), b"1")]
    assert read((SOUND, b"x"), (SOUND, b"y"), *items).fields == {"n": "1"}


def test_a_form_has_an_end() -> None:
    most = [(headed(f"f{number}"), b"") for number in range(MAX_PARTS)]
    assert len(read(*most).fields) == MAX_PARTS
    refused(form_of(*most, (headed("more"), b"")))
    assert read((headed("a"), b"x" * MAX_FIELD_BYTES)).fields
    refused(form_of((headed("a"), b"x" * (MAX_FIELD_BYTES + 1))))


@pytest.mark.parametrize(("name", "value"), [("a", b"\xff"), ("_charset_", b"utf-16")])
def test_a_field_that_is_not_utf_8_is_refused(name: str, value: bytes) -> None:
    refused(form_of((headed(name), value)))


NAMES = st.from_regex(r"[a-z_.\-]{1,8}", fullmatch=True).filter(lambda name: name != "_charset_")
BOUNDARIES = st.from_regex(r"[0-9A-Za-z'+_.\-]{1,70}", fullmatch=True)


@given(st.dictionaries(NAMES, st.text(), min_size=1), BOUNDARIES, st.binary(), st.data())
def test_any_values_are_read_and_replaced(
    values: dict[str, str], boundary: str, file: bytes, data: st.DataObject
) -> None:
    changed, value = data.draw(st.sampled_from(sorted(values))), data.draw(st.text())
    contents = [file, *(each.encode() for each in (*values.values(), value))]
    assume(not any(f"--{boundary}".encode() in content for content in contents))
    assume(f"--{boundary}".lower() not in (SOUND + "".join(map(headed, values))).lower())
    content_type = f"multipart/form-data; boundary={boundary}"
    fields = [(headed(name), text.encode()) for name, text in values.items()]
    form = read_form(content_type, form_of(*fields, (SOUND + "s", file), boundary=boundary))
    assert form.fields == values
    replaced = read_form(content_type, form.with_field(changed, value))
    assert replaced.fields == values | {changed: value}
    assert replaced.with_field(changed, values[changed]) == form.body


@given(
    st.lists(st.sampled_from([b"--b", b"--", b"\r\n", b"\n", b"\r", b"x", headed("a").encode()]))
)
def test_whatever_is_sent_is_read_or_refused(pieces: list[bytes]) -> None:
    body = b"".join(pieces)
    try:
        form = read_form("multipart/form-data; boundary=b", body)
    except Refusal:
        return
    assert body.count(b"--b") == len(form.fields) + 1
