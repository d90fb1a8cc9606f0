"""Expressions are compiled against what API Management offers, and no more."""

from __future__ import annotations

from pathlib import Path

import pytest
from policies import compiler
from policies.allowed_members import is_allowed
from policies.compiler import CompilerMissing, compile_expressions
from policies.documents import Expression
from policies.evaluator import Evaluator, Failed
from policies.expression_ends import Unreadable


def expression(code: str, *, is_block: bool = False, is_condition: bool = False) -> Expression:
    return Expression(code, is_block, is_condition, "api.xml", 7)


@pytest.mark.parametrize(
    "code",
    [
        "context.Request.Header",
        "context.Request.Body.As<JObject>(true).Missing()",
        "context.Subscription.Owner",
        "new Evaluator()",
        'System.Net.Http.HttpClient.Get("x")',
    ],
)
def test_member_that_is_not_offered_does_not_compile(code: str) -> None:
    with pytest.raises(Unreadable, match=r"api\.xml\(7"):
        compile_expressions([expression(code)])


def test_condition_that_is_no_bool_does_not_compile() -> None:
    with pytest.raises(Unreadable, match="bool"):
        compile_expressions([expression('"yes"', is_condition=True)])


def test_block_without_a_return_on_every_path_does_not_compile() -> None:
    with pytest.raises(Unreadable, match="not all code paths return a value"):
        compile_expressions([expression("if (1 > 2) { return 1; }", is_block=True)])


@pytest.mark.parametrize(
    ("code", "member"),
    [
        ("Environment.MachineName", "System.Environment::get_MachineName"),
        ('System.IO.File.ReadAllText("x")', "System.IO.File::ReadAllText"),
        ('Regex.Replace("a", "a", m => "b")', "System.Text.RegularExpressions.MatchEvaluator"),
        (
            "new[] { 1 }.Select(x => Environment.TickCount + x).First()",
            "System.Environment::get_TickCount",
        ),
    ],
)
def test_member_of_net_that_is_not_on_the_list_is_found(
    evaluator: Evaluator, code: str, member: str
) -> None:
    (used,) = evaluator.members_used(compile_expressions([expression(code)]))
    assert [each for each in used if not is_allowed(each) and each.startswith(member)]


@pytest.mark.parametrize("name", ["mcs", "mono"])
def test_missing_command_is_named_with_what_to_type(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(CompilerMissing, match=f"need {name}, .* Type: sudo make system"):
        compiler.command(name)


def test_missing_library_is_named_with_what_to_type(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(compiler, "_GAC", tmp_path)
    with pytest.raises(CompilerMissing, match="libnewtonsoft-json"):
        compiler.newtonsoft()


async def test_expression_that_throws_says_what(evaluator: Evaluator) -> None:
    assembly = compile_expressions([expression('(object)int.Parse("x")')])
    request = {"Method": "GET", "Url": "http://a/", "OriginalUrl": "http://a/"}
    run = evaluator.begin(
        {"Request": {**request, "Headers": {}, "MatchedParameters": {}, "HasBody": False}}
    )

    async def nothing(whose: str) -> bytes:
        raise AssertionError(whose)

    with pytest.raises(Failed, match="FormatException"):
        await evaluator.evaluate(run, (assembly, 0), {}, nothing)
