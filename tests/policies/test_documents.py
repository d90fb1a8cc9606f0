"""Policy documents are read as API Management reads them."""

from __future__ import annotations

import pytest
from policies.documents import Expression, Step, read_document
from policies.expression_ends import Unreadable


def read(text: str, **named_values: str) -> Step:
    return read_document(text, "api.xml", named_values)


def code_of(value: str) -> str:
    (expression,) = read(f"<set-variable name='x' value={value} />").expressions()
    return expression.code


@pytest.mark.parametrize(
    "code",
    [
        'context.Request.Headers.GetValueOrDefault("a","b")',
        r'"a \" ) quote" + @"verbatim "") \"',
        '$"{context.Api.Id} and {{ }} {string.Join(", ", new[] {1})}"',
        "')'.ToString() + '\\''",
        "1 /* ) */ + 2 // )\n",
        "new[] { new { a = (1) } }[0]",
    ],
)
def test_raw_quotes_and_brackets_of_an_expression_end_nothing(code: str) -> None:
    assert code_of(f'"@({code})"') == code


def test_expression_in_wellformed_xml_is_decoded() -> None:
    assert code_of('"@(&quot;a&quot; == &quot;b&amp;&lt;&quot;)"') == '"a" == "b&<"'


def test_expression_may_be_an_elements_text() -> None:
    root = read('<set-body>\n  @{ return "<a>"; }\n</set-body>')
    assert root.text == Expression(' return "<a>"; ', True, False, "api.xml", 2)  # noqa: FBT003


def test_named_values_are_put_in_before_anything_is_read() -> None:
    root = read('<set-variable name="{{n}}" value="@("{{v}}")" />', n="x", v="1;2")
    assert root.attributes["name"] == "x"
    assert root.expressions()[0].code == '"1;2"'


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('<a b="{{missing}}" />', "there is no named value missing"),
        ('<a b="@(1" />', "not closed"),
        ('<a b="@(1]" />', "closes nothing"),
        ('<a b="@(1) and more" />', "the end of b"),
        ("<a>@(1) and more</a>", "and more"),
        ("<a><b></a>", "mismatched tag"),
        ("<a b=1 />", "an attribute"),
        ('<a b="@("x\n")" />', "a line ends within a string"),
        ("<a b=\"@('xy')\" />", "not a character"),
        ('<a b="@("x', "a string is not closed"),
    ],
)
def test_what_api_management_would_not_take_is_refused(text: str, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        read(text)


def test_place_of_a_mistake_is_named() -> None:
    with pytest.raises(Unreadable, match=r"^api\.xml:2: "):
        read('<a>\n<b c="@(]" />\n</a>')
