"""The connection test on an account in memory: what fails it, what it warns of, what it tells."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from tests.api_world import ApiWorld
from tests.builders import an_instrument
from tests.fake_venue import FakeVenue

from adapters.stored_settings import SYSTEM, save_settings
from engine.errors import CredentialsError, VenueBusyError
from engine.events import KeyRights
from engine.values import Side

ALL_RIGHTS = KeyRights(can_trade=True, can_withdraw=True, is_address_bound=True)
NO_WORD = KeyRights(can_trade=None, can_withdraw=None, is_address_bound=None)


@pytest.fixture
def venue(api: ApiWorld) -> FakeVenue:
    api.venue.instruments_by_symbol["XRPUSDT"] = an_instrument("XRPUSDT")
    api.venue.prices["BTCUSDT"] = Decimal(100)
    api.venue.mode_seen = True
    return api.venue


def asked(api: ApiWorld) -> dict[str, Any]:
    connection_id = api.created()
    return api.post(f"/api/settings/connections/{connection_id}/test").body


def said(found: dict[str, Any]) -> str:
    return "\n".join(line["text"] for line in found["log"])


def test_a_good_account_passes_without_a_warning_and_each_step_has_its_time(
    api: ApiWorld, venue: FakeVenue
) -> None:
    found = asked(api)

    assert (found["success"], found["error"], found["warnings"]) == (True, "", [])
    assert found["capabilities"] == ["balance", "positions", "orders", "trading"]
    assert all(line["at_ms"] == api.clock.now_ms() for line in found["log"])
    for step in ("balance", "may trade: yes", "clock", "positions (0)", "mode is hedge", "chosen"):
        assert step in said(found), step
    assert found["connection"]["is_active"] is True
    assert found["connection"]["last_test_message"] == "nothing is amiss"


def _may_not_trade(venue: FakeVenue) -> None:
    venue.key_rights = replace(ALL_RIGHTS, can_trade=False)


def _other_mode_and_a_position(venue: FakeVenue) -> None:
    venue.mode_seen = False
    venue.trade_outside("BTCUSDT", Side.SHORT, Decimal(1))


def _too_small(venue: FakeVenue) -> None:
    venue.equity = Decimal(1)


@pytest.mark.parametrize(
    ("amiss", "cause"),
    [
        (_may_not_trade, "may not trade perpetual_futures"),
        (_other_mode_and_a_position, "cannot be changed while positions are open"),
        (_too_small, "is too small"),
    ],
)
def test_what_would_make_every_order_fail_fails_the_test_with_its_cause(
    api: ApiWorld, venue: FakeVenue, amiss: Callable[[FakeVenue], None], cause: str
) -> None:
    amiss(venue)

    found = asked(api)

    assert found["success"] is False
    assert cause in found["error"]
    assert found["connection"]["is_active"] is False


@pytest.mark.parametrize(("choice", "passes"), [("warn", True), ("refuse", False)])
def test_a_key_that_may_withdraw_is_warned_of_or_refused(
    api: ApiWorld, venue: FakeVenue, choice: str, passes: bool
) -> None:
    save_settings(SYSTEM, {"withdrawRight": choice}, author="t", now_ms=1)
    venue.key_rights = ALL_RIGHTS

    found = asked(api)

    assert found["success"] is passes
    assert "may withdraw" in (found["warnings"][0] if passes else found["error"])


def _unbound(venue: FakeVenue) -> None:
    venue.key_rights = KeyRights(can_trade=True, can_withdraw=False, is_address_bound=False)


def _skewed(venue: FakeVenue) -> None:
    venue.clock_ahead_ms = -4_000


def _foreign(venue: FakeVenue) -> None:
    venue.trade_outside("BTCUSDT", Side.LONG, Decimal(1))


def _dear(venue: FakeVenue) -> None:
    venue.instruments_by_symbol["XRPUSDT"] = an_instrument("XRPUSDT", min_notional=Decimal(9000))


def _empty(venue: FakeVenue) -> None:
    venue.cash = Decimal(-10_000)


@pytest.mark.parametrize(
    ("amiss", "warning"),
    [
        (_unbound, "bound to no address"),
        (_skewed, "the clocks differ by 4000 ms"),
        (_foreign, "1 positions are open that nobody here guards"),
        (_dear, "never opened: XRPUSDT"),
        (_empty, "the account is empty"),
    ],
)
def test_what_only_needs_eyes_is_a_warning(
    api: ApiWorld, venue: FakeVenue, amiss: Callable[[FakeVenue], None], warning: str
) -> None:
    amiss(venue)

    found = asked(api)

    assert found["success"] is True
    assert warning in "\n".join(found["warnings"])
    assert warning in found["connection"]["last_test_message"]


def test_a_venue_that_tells_no_rights_passes_and_says_so(api: ApiWorld, venue: FakeVenue) -> None:
    venue.key_rights = NO_WORD

    found = asked(api)

    assert found["success"] is True
    assert "it may withdraw: the venue does not say" in said(found)
    assert "trading" not in found["capabilities"]


@pytest.mark.parametrize("error", [CredentialsError("-2015 no"), VenueBusyError("-1003 wait")])
def test_what_cannot_be_read_beside_the_balance_is_a_warning(
    api: ApiWorld, venue: FakeVenue, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refused(self: FakeVenue) -> KeyRights:
        raise error

    monkeypatch.setattr(FakeVenue, "rights", refused)

    found = asked(api)

    assert found["success"] is True
    assert "the rights of the key could not be read" in found["warnings"][0]


def test_a_key_of_another_network_is_explained(api: ApiWorld, venue: FakeVenue) -> None:
    api.venue_error = CredentialsError("-2015 invalid api-key")

    assert "a key of the paper exchange" in asked(api)["error"]
