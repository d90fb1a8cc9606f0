from __future__ import annotations

from decimal import Decimal

from accountant.planning.effects import Effects, Item, Used, added, effects


def item(meter: str = "input", unit: str = "token", model: str = "m") -> Item:
    return Item(unit, model, meter, "standard", "global", "default", None)


def used(quantity: int, amount: str) -> Used:
    return Used(quantity, Decimal(amount))


def test_price_alone_is_a_price_effect() -> None:
    found = effects({item(): used(100, "10")}, {item(): used(100, "12")}, Decimal(0))
    assert found == Effects(price=Decimal(2))


def test_volume_alone_is_a_volume_effect() -> None:
    found = effects({item(): used(100, "10")}, {item(): used(150, "15")}, Decimal(0))
    assert found == Effects(volume=Decimal(5))


def test_another_mix_of_the_same_volume_is_a_mix_effect() -> None:
    before = {item("input"): used(100, "10"), item("output"): used(100, "40")}
    after = {item("input"): used(50, "5"), item("output"): used(150, "60")}
    assert effects(before, after, Decimal(0)) == Effects(mix=Decimal(15))


def test_units_of_measure_are_not_added_to_each_other() -> None:
    before = {item(): used(100, "10"), item("images", "image"): used(1, "1")}
    after = {item(): used(100, "10"), item("images", "image"): used(3, "3")}
    assert effects(before, after, Decimal(0)) == Effects(volume=Decimal(2))


def test_items_of_one_month_are_new_or_vanished() -> None:
    before, after = {item(model="old"): used(1, "7")}, {item(model="new"): used(2, "3")}
    found = effects(before, after, Decimal("0.5"))
    assert found == Effects(new=Decimal(3), vanished=Decimal(-7), other=Decimal("0.5"))


def test_thirds_are_rounded_so_that_they_add_up() -> None:
    before = {item("input"): used(1, "1"), item("output"): used(2, "0")}
    after = {item("input"): used(1, "1"), item("output"): used(1, "0")}
    found = effects(before, after, Decimal(0))
    assert (found.volume, found.mix) == (Decimal("-0.333333333333"), Decimal("0.333333333333"))


def test_a_difference_of_many_digits_keeps_them_all() -> None:
    tiny = Decimal("1e-20")
    found = effects({item(): used(1, "0")}, {item(): Used(1, tiny)}, Decimal(0))
    assert found == Effects(price=tiny)


def test_effects_are_added_one_by_one() -> None:
    one = Effects(price=Decimal(1), other=Decimal(2))
    assert added([one, one]) == Effects(price=Decimal(2), other=Decimal(4))
    assert added([]) == Effects()
