"""The trading state: what restrains an account, for how long, and what it remembers."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from engine.risk import (
    at_equity,
    counted,
    day_of,
    judged,
    kept_since,
    released,
    resumed,
    state_refusal,
    trading_state,
)
from engine.risk_record import Result, RiskRecord, TradingState
from engine.settings import Settings, with_values
from engine.values import CloseReason, Side

DAY_MS = 86_400_000
MIDNIGHT = day_of(1_700_000_000_000)
NOON = MIDNIGHT + DAY_MS // 2
EQUITY = Decimal(1000)
BOTH = pytest.mark.parametrize("side", list(Side))


def a_result(at_ms: int, net: str, side: Side = Side.LONG) -> Result:
    return Result(
        position_id=f"p{at_ms}{net}",
        symbol="BTCUSDT",
        side=side,
        reason=CloseReason.STOP_LOSS,
        closed_at_ms=at_ms,
        notional=Decimal(100),
        net=Decimal(net),
    )


def after(
    results: list[Result],
    *,
    record: RiskRecord | None = None,
    equity: str = "1000",
    now_ms: int = NOON,
    settings: Settings | None = None,
) -> RiskRecord:
    """The record of an account that began the day with 1,000, one tick later."""
    settings = settings or Settings()
    begun = record or at_equity(RiskRecord(), (), EQUITY, MIDNIGHT)
    held = at_equity(released(begun, now_ms, settings), results, Decimal(equity), now_ms)
    done = judged(counted(held, results), Decimal(equity), now_ms, settings)
    return replace(done, state=trading_state(done, halt=False))


def reason(record: RiskRecord) -> str:
    return record.restraint.reason if record.restraint else ""


@BOTH
@pytest.mark.parametrize(
    ("values", "limit"),
    [({}, "100"), ({"max_daily_loss": 60}, "60"), ({"max_daily_loss": 500}, "100")],
)
def test_the_days_loss_net_of_wins_restrains_until_the_next_utc_midnight(
    side: Side, values: dict[str, object], limit: str
) -> None:
    settings = with_values(Settings(), values)
    lost = [
        a_result(MIDNIGHT - 1, "-500", side),  # of the day before
        a_result(MIDNIGHT, "10", side),
        a_result(NOON, str(-Decimal(limit) - 10), side),
    ]
    less = [*lost[:2], a_result(NOON, str(-Decimal(limit) - Decimal("9.99")), side)]

    breached = after(lost, settings=settings)

    assert after(less, settings=settings).state is TradingState.ACTIVE
    assert breached.state is TradingState.REDUCING
    assert breached.restraint is not None
    assert (breached.restraint.reason, breached.restraint.until_ms) == (
        "daily_loss",
        MIDNIGHT + DAY_MS,
    )
    refused = state_refusal(breached, NOON)
    assert refused is not None
    assert refused.code == "trading_state_reducing"
    assert refused.numbers == {
        "daily_loss": Decimal(limit),
        "limit": Decimal(limit),
        "left_ms": Decimal(DAY_MS // 2),
    }
    assert after(lost, record=breached, now_ms=MIDNIGHT + DAY_MS - 1).restraint is not None
    next_day = after(lost, record=breached, now_ms=MIDNIGHT + DAY_MS)
    assert (next_day.state, next_day.realised_today) == (TradingState.ACTIVE, Decimal(0))


def test_equity_far_below_its_peak_restrains_until_the_operator_resumes() -> None:
    peaked = after([], equity="1500")
    fallen = after([], record=peaked, equity="1200")
    much_later = after([], record=fallen, equity="1490", now_ms=NOON + 40 * DAY_MS)

    assert after([], record=peaked, equity="1200.01").state is TradingState.ACTIVE
    assert fallen.restraint is not None
    assert fallen.restraint.numbers == {
        "drawdown_pct": Decimal(20),
        "limit_pct": Decimal(20),
        "equity": Decimal(1200),
        "equity_peak": Decimal(1500),
    }
    assert much_later.state is TradingState.REDUCING
    again = resumed(much_later, Decimal(1200), NOON)
    assert (again.restraint, again.equity_peak) == (None, Decimal(1200))
    assert after([], record=again, equity="1100").state is TradingState.ACTIVE


@BOTH
def test_losses_in_a_row_restrain_for_a_while_and_then_count_anew(side: Side) -> None:
    settings = with_values(
        Settings(), {"maxConsecutiveLosses": 3, "consecutiveLossesPauseMinutes": 60}
    )
    losses = [a_result(NOON - 3 + n, "-1", side) for n in range(3)]
    broken = [losses[0], a_result(NOON - 2, "1", side), losses[2]]

    paused = after(losses, settings=settings)

    assert after(broken, settings=settings).consecutive_losses == 1
    assert reason(paused) == "consecutive_losses"
    refused = state_refusal(paused, NOON)
    assert refused is not None
    assert refused.numbers == {
        "losses": Decimal(3),
        "limit": Decimal(3),
        "left_ms": Decimal(3_600_000),
    }
    assert after(losses, record=paused, now_ms=NOON + 60_000, settings=settings) == paused
    over = after(losses, record=paused, now_ms=NOON + 3_600_000, settings=settings)
    assert (over.state, over.consecutive_losses) == (TradingState.ACTIVE, 0)
    later = [*losses, a_result(NOON + 3_600_001, "-1", side)]
    assert after(later, record=over, now_ms=NOON + 3_600_002, settings=settings).state is (
        TradingState.ACTIVE
    )


def test_a_days_limit_is_a_share_of_the_equity_it_began_with() -> None:
    later = after([], equity="5000")
    next_day = after([], record=later, equity="4500", now_ms=MIDNIGHT + DAY_MS + 5)

    assert (later.day_start_equity, later.day_ms) == (EQUITY, MIDNIGHT)
    assert (next_day.day_start_equity, next_day.day_ms) == (Decimal(4500), MIDNIGHT + DAY_MS)


def test_a_result_of_nothing_is_no_loss() -> None:
    assert after([a_result(NOON, "-1"), a_result(NOON + 1, "0")]).consecutive_losses == 0


def test_the_more_lasting_breach_takes_over_and_a_shorter_one_never_does() -> None:
    settings = with_values(Settings(), {"maxConsecutiveLosses": 1})
    paused = after([a_result(NOON, "-1")], settings=settings)
    day = after([a_result(NOON, "-100")], record=paused, settings=settings)
    fallen = after([a_result(NOON, "-100")], record=day, equity="700", settings=settings)
    back = after([a_result(NOON, "-100")], record=fallen, settings=settings)

    assert [reason(one) for one in (paused, day, fallen, back)] == [
        "consecutive_losses",
        "daily_loss",
        "drawdown",
        "drawdown",
    ]


@pytest.mark.parametrize(
    ("off", "results", "equity"),
    [
        ({"max_drawdown_percent": 0}, [], "1"),
        ({"maxDailyLossPercent": 0, "max_daily_loss": 0}, [a_result(NOON, "-900")], "1000"),
        ({"maxConsecutiveLosses": 0}, [a_result(NOON + n, "-1") for n in range(20)], "1000"),
    ],
)
def test_a_limit_switched_off_restrains_nothing_and_lifts_what_it_did(
    off: dict[str, object], results: list[Result], equity: str
) -> None:
    restrained = after(results, equity=equity)
    settings = with_values(Settings(), off)

    assert restrained.state is TradingState.REDUCING
    assert after(results, equity=equity, settings=settings).state is TradingState.ACTIVE
    lifted = after(results, record=restrained, equity=equity, settings=settings)
    assert lifted.state is TradingState.ACTIVE


def test_after_the_operator_resumed_what_was_lost_before_counts_for_nothing() -> None:
    lost = [a_result(NOON + n, "-50") for n in range(10)]
    restrained = after(lost, now_ms=NOON + 20)

    again = resumed(restrained, EQUITY, NOON + 30)
    later = after([*lost, a_result(NOON + 31, "-99")], record=again, now_ms=NOON + 40)

    assert restrained.state is TradingState.REDUCING
    assert (later.state, later.realised_today) == (TradingState.ACTIVE, Decimal(-99))
    assert later.consecutive_losses == 1


def test_a_halt_stands_above_all_and_leaves_the_restraint_behind_it() -> None:
    restrained = after([a_result(NOON, "-500")])

    assert trading_state(restrained, halt=True) is TradingState.HALTED
    assert trading_state(restrained, halt=False) is TradingState.REDUCING
    refused = state_refusal(replace(RiskRecord(), state=TradingState.HALTED), NOON)
    assert refused is not None
    assert refused.code == "trading_state_halted"


@examples(max_examples=60)
@given(
    closings=st.lists(
        st.tuples(st.integers(0, 6 * DAY_MS), st.integers(-3, 1)),
        max_size=30,
        unique_by=lambda c: c[0],
    ),
    looks=st.lists(st.integers(0, 6 * DAY_MS), max_size=8),
)
def test_a_run_of_losses_is_counted_through_days_though_old_results_are_let_go(
    closings: list[tuple[int, int]], looks: list[int]
) -> None:
    off = with_values(Settings(), {"maxConsecutiveLosses": 0, "maxDailyLossPercent": 0})
    results = [a_result(MIDNIGHT + at_ms, str(net)) for at_ms, net in sorted(closings)]
    record = at_equity(RiskRecord(), (), EQUITY, MIDNIGHT)

    for now_ms in sorted({MIDNIGHT + look for look in looks} | {MIDNIGHT + 6 * DAY_MS}):
        known = [one for one in results if kept_since(record.day_ms) <= one.closed_at_ms <= now_ms]
        record = after(known, record=record, now_ms=now_ms, settings=off)
        run = 0
        for one in (one for one in results if one.closed_at_ms <= now_ms):
            run = run + 1 if one.net < 0 else 0
        today = [one.net for one in known if one.closed_at_ms >= day_of(now_ms)]

        assert record.consecutive_losses == run
        assert record.realised_today == sum(today)
