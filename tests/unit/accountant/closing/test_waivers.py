from __future__ import annotations

from pathlib import Path

import pytest
from closed_months import OCTOBER

from accountant.closing.blockers import Blocker
from accountant.closing.waivers import StatedWaiver, read_waivers, waived, waivers_toml
from tollgate.errors import SettingsError

UNPRICED = Blocker(
    what="unpriced", tenant="contoso", model="gpt-9", meter="input", months={"2026-10": 700}
)
PENDING = Blocker(what="pending", tenant='a "b"\\\x7f', months={"2026-10": 2})
LETTERS = Blocker(what="dead-letter", months={"": 1})
NO_MODEL = Blocker(
    what="unpriced", tenant="contoso", model=None, meter="input", months={"2026-10": 1}
)


def stated(text: str, folder: Path) -> list[StatedWaiver]:
    path = folder / "waivers.toml"
    path.write_text(text)
    return read_waivers(path)


def waiver(at_most: int = 700, **changes: str) -> StatedWaiver:
    names = {"what": "unpriced", "tenant": "contoso", "model": "gpt-9", "meter": "input"}
    return StatedWaiver.model_validate(
        {**names, "at_most": at_most, "reason": "free until 2027", **changes}
    )


def test_what_a_refusal_prints_lets_all_of_it_pass_once_the_reasons_are_given(
    tmp_path: Path,
) -> None:
    blockers = [UNPRICED, PENDING, LETTERS, NO_MODEL]
    text = waivers_toml(blockers, OCTOBER)
    assert text.startswith("# What would let the month be closed as it is.")
    given = stated(text.replace('reason = ""', 'reason = "agreed"'), tmp_path)
    found = waived(blockers, given, OCTOBER, "ada")
    assert (found.left, found.unused) == ([], [])
    assert [each.waiver.what for each in found.let_pass] == [
        each.words(OCTOBER) for each in blockers
    ]
    assert {(each.waiver.reason, each.waiver.by) for each in found.let_pass} == {("agreed", "ada")}


def test_reasons_must_be_given(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        stated(waivers_toml([UNPRICED, PENDING], OCTOBER), tmp_path)
    assert [problem.partition("toml: ")[2] for problem in caught.value.problems] == [
        "waiver 1 reason: say why; the statements print it",
        "waiver 2 reason: say why; the statements print it",
    ]


def test_a_waiver_lets_nothing_else_pass() -> None:
    for other in (
        waiver(tenant="fabrikam"),
        waiver(model="gpt-8"),
        waiver(meter="output"),
        waiver(what="pending"),
    ):
        found = waived([UNPRICED], [other], OCTOBER, "ada")
        assert (found.left, found.let_pass, len(found.unused)) == ([UNPRICED], [], 1)


def test_a_waiver_lets_no_more_pass_than_it_says() -> None:
    assert waived([UNPRICED], [waiver(700)], OCTOBER, "ada").left == []
    found = waived([UNPRICED], [waiver(699)], OCTOBER, "ada")
    assert (found.left, found.enough_for) == ([UNPRICED], {UNPRICED.key: 699})
    assert found.unused == []


def test_an_unused_waiver_is_told() -> None:
    found = waived([], [waiver()], OCTOBER, "ada")
    assert found.unused == [
        'waiver of unpriced, tenant "contoso", model "gpt-9", meter "input": nothing of it is there'
    ]


def test_who_waives_can_be_someone_else() -> None:
    [passed] = waived([UNPRICED], [waiver(by="bob")], OCTOBER, "ada").let_pass
    assert passed.waiver.by == "bob"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("waiver = 1", "waiver: Input should be a valid list"),
        ("x", "is not TOML"),
        ('[[waivers]]\nwhat = "late"', "waivers: Extra inputs are not permitted"),
        ('[[waiver]]\nwhat = "all"\nat_most = 1\nreason = "r"', "what: 'all' is not one of unpr"),
        ('[[waiver]]\nwhat = "late"\nat_most = 0\nreason = "r"', "waiver 1 at_most: Input should"),
        ('[[waiver]]\nwhat = "late"\nreason = "r"', "waiver 1 at_most: Field required"),
        ('[[waiver]]\nwhat = "late"\nat_most = 1\nreason = "r"\n' * 2, "stands there 2 times"),
    ],
)
def test_what_cannot_be_used_is_told(text: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        stated(text, tmp_path)
    assert told in caught.value.problems[0]


def test_a_file_that_is_not_there_is_one_problem(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read: No such file"):
        read_waivers(tmp_path / "waivers.toml")


def test_an_unknown_kind_is_told_with_all_that_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        stated(
            '[[waiver]]\nwhat = "all"\nat_most = 1\nreason = "x"\n'
            '[[waiver]]\nwhat = "late"\nat_most = 0\nreason = "x"\n',
            tmp_path,
        )
    told = [problem.partition("toml: ")[2] for problem in caught.value.problems]
    assert [each.partition(": ")[0] for each in told] == ["waiver 1 what", "waiver 2 at_most"]
    assert "'all' is not one of unpriced, pending, " in told[0]
