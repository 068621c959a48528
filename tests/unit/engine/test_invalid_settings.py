"""Every key refuses what it cannot be, and says so by key, value and range."""

from collections.abc import Iterator
from dataclasses import fields
from decimal import Decimal
from typing import Any

import pytest

from engine.errors import InvalidSettingError
from engine.setting import Setting
from engine.settings import DEFAULTS, Settings, schema, with_values

NEVER_NUMBERS: tuple[object, ...] = (
    *("NaN", "sNaN", "-Infinity", "Infinity", "", "many", "1,5", "0x10"),
    *(float("nan"), float("inf"), float("-inf")),
    *(Decimal("NaN"), Decimal("Infinity")),
    *(None, True, False, [], {}, [1], {"value": 1}, b"1"),
)
NEVER_TEXT: tuple[object, ...] = (None, True, 1, Decimal(1), float("nan"), [], {}, b"USDT")
NEVER_SWITCHES: tuple[object, ...] = (None, 0, 1, "true", "NaN", float("nan"), float("inf"), [])
NEVER_LISTS: tuple[object, ...] = (None, True, 3, "3 5", float("nan"), Decimal("Infinity"), {}, [])

TYPES = {field.metadata["setting"].key: getattr(DEFAULTS, field.name) for field in fields(Settings)}
KEYS = pytest.mark.parametrize("key", schema())
NUMBERS = pytest.mark.parametrize(
    "key", [key for key, about in schema().items() if about.minimum is not None]
)


def wrong_scalars(about: Setting, like: object) -> Iterator[object]:
    if isinstance(like, bool):
        yield from NEVER_SWITCHES
    elif isinstance(like, str):
        yield from NEVER_TEXT
        yield from ["nothing of the kind"] if about.choices else []
    else:
        yield from NEVER_NUMBERS
        yield from out_of_range(about, like)


def out_of_range(about: Setting, like: object) -> Iterator[object]:
    """Just and far outside, as number and as text; and between whole numbers."""
    assert about.minimum is not None and about.maximum is not None, f"{about.key} has no range"
    nearest = Decimal(1) if isinstance(like, int) else Decimal("0.000001")
    for wrong in (about.minimum - nearest, about.maximum + nearest, Decimal("1e400")):
        yield from (wrong, str(wrong))
    yield from (float(about.minimum) - 1, float(about.maximum) + 1, -(2**70), 2**70)
    if isinstance(like, int):
        yield from (about.minimum + Decimal("0.5"), float(about.minimum) + 0.5)


def wrong_values(key: str) -> Iterator[tuple[object, object]]:
    """A wrong value of a key, and the part of it that the refusal names."""
    about, like = schema()[key], TYPES[key]
    if not isinstance(like, tuple):
        yield from ((wrong, wrong) for wrong in wrong_scalars(about, like))
        return
    yield from ((wrong, wrong) for wrong in NEVER_LISTS)
    yield from (([*like, wrong], wrong) for wrong in wrong_scalars(about, like[0]))


def allowed(key: str) -> str:
    """What a refusal of this key must tell."""
    about, like = schema()[key], TYPES[key]
    one: Any = like[0] if isinstance(like, tuple) else like
    if isinstance(one, bool):
        return "true or false"
    if isinstance(one, str):
        return ", ".join(about.choices) or "text"
    return f"between {about.minimum} and {about.maximum} {about.unit}".rstrip()


@KEYS
def test_a_key_refuses_every_wrong_value_by_key_value_and_range(key: str) -> None:
    for value, named in wrong_values(key):
        with pytest.raises(InvalidSettingError) as refused:
            with_values(DEFAULTS, {key: value})

        said = str(refused.value)
        assert f"setting {key} must be" in said, value
        assert allowed(key) in said, value
        assert said.endswith(f", was {named!r}"), value


@NUMBERS
def test_a_number_takes_both_ends_of_its_range(key: str) -> None:
    about, like = schema()[key], TYPES[key]
    ends = [about.minimum, about.maximum]
    if not isinstance(like, tuple):
        assert [value_of({key: end}) for end in ends] == ends
    elif len(like) == 1:
        assert [value_of({key: [end]}) for end in ends] == [(end,) for end in ends]
    else:  # the first and the last: some lists must rise
        found = value_of({key: [ends[0], *like[1:-1], ends[1]]})
        assert [found[0], found[-1]] == ends


def value_of(values: dict[str, object]) -> Any:
    """What one changed key is then."""
    made = with_values(DEFAULTS, values)
    (key,) = values
    (name,) = [f.name for f in fields(Settings) if f.metadata["setting"].key == key]
    return getattr(made, name)


def test_a_refused_value_changes_nothing_of_what_came_with_it() -> None:
    before = Settings()

    with pytest.raises(InvalidSettingError, match="positionCost"):
        with_values(before, {"max_leverage": 3, "positionCost": "NaN"})

    assert before == Settings()
