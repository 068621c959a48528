"""What every implementation of the leases must do."""

import pytest
from tests.contracts.conftest import LEASE_MS, Kept

from engine.errors import LeaseLostError
from engine.records import Obeyed
from engine.values import Loop

pytestmark = pytest.mark.parametrize("loop", Loop)


def test_a_lease_never_taken_is_free_idle_and_stopped(kept: Kept, loop: Loop) -> None:
    row = kept.leases.read("c1", loop)

    assert (row.owner, row.token, row.phase, row.wanted, row.halt) == ("", 0, "idle", "stop", False)


def test_taking_a_lease_raises_the_token_and_makes_the_loop_live(kept: Kept, loop: Loop) -> None:
    lease = kept.leases.take("c1", loop, token=0, owner="first", lease_ms=LEASE_MS)

    row = kept.leases.read("c1", loop)
    assert (row.owner, row.token, row.phase) == ("first", lease.token, "live")
    assert row.expires_at_ms == lease.sent_at_ms + LEASE_MS == kept.clock.now_ms() + LEASE_MS
    assert lease.sent_at_monotonic_ms == kept.clock.monotonic_ms()


def test_the_same_token_is_given_away_once(kept: Kept, loop: Loop) -> None:
    kept.leases.take("c1", loop, token=0, owner="first", lease_ms=LEASE_MS)

    with pytest.raises(LeaseLostError):
        kept.leases.take("c1", loop, token=0, owner="second", lease_ms=LEASE_MS)

    assert kept.leases.read("c1", loop).owner == "first"


def test_a_take_repeated_by_its_own_nonce_is_one_take(kept: Kept, loop: Loop) -> None:
    first = kept.leases.take("c1", loop, token=0, owner="nonce", lease_ms=LEASE_MS)

    again = kept.leases.take("c1", loop, token=0, owner="nonce", lease_ms=LEASE_MS)

    assert again.token == first.token == kept.leases.read("c1", loop).token


def test_each_burst_takes_the_lease_of_the_one_before(kept: Kept, loop: Loop) -> None:
    first = kept.leases.take("c1", loop, token=0, owner="first", lease_ms=LEASE_MS)

    second = kept.leases.take("c1", loop, token=first.token, owner="second", lease_ms=LEASE_MS)

    assert second.token == first.token + 1
    with pytest.raises(LeaseLostError):
        kept.leases.renew(first)


def test_a_renewed_lease_lasts_from_the_moment_it_was_sent(kept: Kept, loop: Loop) -> None:
    lease = kept.take(loop)
    kept.clock.advance(5_000)

    renewed = kept.leases.renew(lease)

    assert renewed.sent_at_ms == kept.clock.now_ms()
    assert renewed.sent_at_monotonic_ms == lease.sent_at_monotonic_ms + 5_000
    assert kept.leases.read("c1", loop).expires_at_ms == kept.clock.now_ms() + LEASE_MS


def test_a_lease_that_ran_out_cannot_be_renewed(kept: Kept, loop: Loop) -> None:
    lease = kept.take(loop)
    kept.clock.advance(LEASE_MS)

    with pytest.raises(LeaseLostError):
        kept.leases.renew(lease)


def test_a_released_lease_is_free_at_once_and_keeps_its_token(kept: Kept, loop: Loop) -> None:
    lease = kept.take(loop)

    kept.leases.release(lease)

    row = kept.leases.read("c1", loop)
    assert (row.owner, row.token, row.expires_at_ms, row.last_slot_ms) == ("", lease.token, 0, 0)


def test_a_lost_lease_releases_nothing(kept: Kept, loop: Loop) -> None:
    lost = kept.take(loop, "first")
    kept.take(loop, "second")

    kept.leases.release(lost)

    assert kept.leases.read("c1", loop).owner == "second"


def test_the_loop_goes_idle_when_it_has_seen_every_wish(kept: Kept, loop: Loop) -> None:
    lease = kept.take(loop)

    assert kept.leases.go_idle(lease, seen_seq=0)

    row = kept.leases.read("c1", loop)
    assert (row.phase, row.owner, row.token) == ("idle", "", lease.token)


def test_a_lost_lease_cannot_put_the_loop_to_sleep(kept: Kept, loop: Loop) -> None:
    lost = kept.take(loop, "first")
    kept.take(loop, "second")

    with pytest.raises(LeaseLostError):
        kept.leases.go_idle(lost, seen_seq=0)

    assert kept.leases.read("c1", loop).phase == "live"


def test_the_two_loops_and_two_connections_do_not_touch_each_other(kept: Kept, loop: Loop) -> None:
    kept.take(loop)

    other = Loop.POSITION if loop is Loop.TRADE else Loop.TRADE
    assert kept.leases.read("c1", other).token == 0
    assert kept.leases.read("c2", loop).token == 0


def test_what_a_loop_obeys_is_told_until_it_obeys_something_else(kept: Kept, loop: Loop) -> None:
    lease = kept.take(loop)
    said = [
        Obeyed(wanted=wanted, number=number, slot_ms=300, token=lease.token, at_ms=number)
        for number, wanted in enumerate(("run", "pause"))
    ]
    assert kept.leases.read("c1", loop).obeyed is None

    heard = []
    for one in said:
        kept.leases.acknowledge(lease, one)
        heard.append(kept.leases.read("c1", loop).obeyed)

    assert heard == said


def test_a_lost_lease_acknowledges_nothing(kept: Kept, loop: Loop) -> None:
    lost = kept.take(loop, "first")
    kept.take(loop, "second")

    with pytest.raises(LeaseLostError):
        kept.leases.acknowledge(
            lost, Obeyed(wanted="pause", number=1, slot_ms=0, token=lost.token, at_ms=0)
        )

    assert kept.leases.read("c1", loop).obeyed is None
