"""What is kept of a Set's results: 250 with a slack of 20 %; the surplus goes to the archive."""

from dataclasses import fields, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.bookkeeping import ARCHIVED, Bookkeeper
from engine.history import History, Ring, kept_count, storage_limit
from engine.pseudo import Pseudo
from engine.settings import Settings, with_values
from engine.statistics import Standing
from engine.trade_plan import CHANGE, CLOSING, OPENING

SETS = 3
FREE = with_values(Settings(), {"databaseSizeBase": 50})


def booked(
    history: History, results: list[tuple[int, int]], first: int, rules: Settings
) -> tuple[History, np.ndarray]:
    """One (Set, result) a second, in one call."""
    keeper = Bookkeeper(history, rules, np.zeros(SETS, np.bool_))
    for second, (k, result) in enumerate(results, start=first):
        one = np.array([k])
        keeper.book(one, np.array([result], np.int16), one * 0 + second, one > 9)
    return keeper.finish()


def test_the_301st_result_leaves_the_newest_250_and_archives_51() -> None:
    rules = Settings()
    results = list(range(301))
    before, nothing = booked(
        History.fresh(1, SETS, rules), [(1, r) for r in results[:300]], 1, rules
    )

    after, archived = booked(before, [(1, results[300])], 301, rules)

    assert storage_limit(rules) == 300
    assert len(nothing) == 0
    assert before.last_results(0, 1).tolist() == results[:300]
    assert after.last_results(0, 1).tolist() == results[51:]
    assert len(after.last_results(0, 1)) == 250
    assert archived["result"].tolist() == archived["number"].tolist() == results[:51]
    assert set(archived["at_ms"].tolist()) == {301}


def test_the_next_51_leave_with_the_352nd_result() -> None:
    _, archived = booked(
        History.fresh(1, SETS, Settings()), [(1, r) for r in range(352)], 1, Settings()
    )

    assert archived["number"].tolist() == list(range(102))
    assert archived["at_ms"].tolist() == [301] * 51 + [352] * 51


def test_a_slack_that_is_no_whole_number_is_rounded_up() -> None:
    assert storage_limit(with_values(Settings(), {"databaseThresholdPercent": 15})) == 288


def test_no_set_ever_holds_more_than_its_limit_and_slack() -> None:
    count = np.arange(2000)

    kept = kept_count(count, 250, 300)

    assert kept.max() == 300
    assert (kept[250:] >= 250).all()
    assert kept[[250, 300, 301, 351, 352]].tolist() == [250, 300, 250, 300, 250]


@given(
    picks=st.lists(st.sampled_from([0, 0, 0, 1, 2]), min_size=130, max_size=190),
    cuts=st.lists(st.integers(0, 190), max_size=4),
)
@settings(max_examples=4)
def test_kept_and_archived_results_are_the_same_however_they_are_booked(
    picks: list[int], cuts: list[int]
) -> None:
    results = [(k, 7 * i % 500 - 250) for i, k in enumerate(picks)]
    history = whole = History.fresh(1, SETS, FREE)
    pieces = []
    bounds = [0, *sorted(min(cut, len(results)) for cut in cuts), len(results)]
    for begin, end in pairwise(bounds):
        history, archived = booked(history, results[begin:end], begin + 1, FREE)
        pieces.append(archived)
    whole, at_once = booked(whole, results, 1, FREE)

    assert np.concatenate(pieces).tolist() == at_once.tolist()
    for k in range(SETS):
        own = [r for each, r in results if each == k]
        assert history.last_results(0, k).tolist() == whole.last_results(0, k).tolist()
        gone = at_once[at_once["set"] == k]["result"].tolist()
        assert gone + whole.last_results(0, k).tolist() == own


@pytest.mark.parametrize(
    "record", [Pseudo, History, Ring, Standing, OPENING, CLOSING, CHANGE, ARCHIVED]
)
def test_base_main_and_real_carry_no_volume(record: Any) -> None:
    names = record.names or () if isinstance(record, np.dtype) else _names(record)

    money = ("quantity", "volume", "balance", "notional", "margin", "equity", "leverage")
    assert not [name for name in names if any(word in name for word in money)]


def _names(record: Any) -> list[str]:
    return [field.name for field in fields(record)]


def test_results_kept_are_those_that_can_be_read_of_every_set() -> None:
    counts = np.array([[0, 7, 60], [61, 75, 0]], np.int32)
    history = replace(History.fresh(2, SETS, FREE), count=counts)

    assert history.results_kept() == 7 + 60 + 50 + 53
