"""A connection's venue is opened as its row and the operator's settings say."""

from collections.abc import Mapping
from decimal import Decimal

import pytest
from pynamodb.exceptions import QueryError
from tests.fakes import FakeClock

from adapters.account_checks import friendly
from adapters.limits import Limits
from adapters.numbered import number_of
from adapters.opener import VenueOpener
from adapters.pacing import Pace
from adapters.stored_settings import SYSTEM, save_settings
from adapters.tables import ConnectionRow, SettingsRow
from engine.errors import CredentialsError, RestrictedLocationError
from engine.ledger import Purpose
from engine.orders import is_of_another, order_name, position_id


class NoVault:
    def seal(self, connection_id: str, credentials: Mapping[str, str]) -> bytes:
        raise AssertionError("nothing is sealed here")

    def open(self, connection_id: str, sealed: bytes) -> Mapping[str, str]:
        raise AssertionError("the public side needs no key")


def a_connection(connection_id: str = "c1", *, is_testnet: bool = False) -> ConnectionRow:
    return ConnectionRow(
        connection_id=connection_id,
        name=connection_id,
        exchange="binance",
        api_type="perpetual_futures",
        connection_method="library",
        margin_type="cross",
        position_mode="hedge",
        is_testnet=is_testnet,
        volume_factor=Decimal(1),
        credentials=b"sealed",
        api_key_last4="1234",
        created_at_ms=1,
        updated_at_ms=1,
    )


@pytest.fixture
def opener(moto_tables: None) -> VenueOpener:
    a_connection().save()
    return VenueOpener(FakeClock(), NoVault())


async def pace_of(opener: VenueOpener) -> tuple[Pace, Pace]:
    """Of the feed and of the exchange."""
    feed = await opener.feed("c1", private=False)
    exchange = await opener.exchange("c1", private=False)
    return feed._settings.pace, exchange._pace


async def test_calls_that_can_wait_keep_the_operators_pace(opener: VenueOpener) -> None:
    before = await pace_of(opener)
    values = {"batch_size": 20, "max_concurrent": 2, "batch_delay_ms": 500}
    save_settings(SYSTEM, values, author="t", now_ms=1)
    after = await pace_of(opener)

    assert before == (Pace(), Pace())
    assert after == (Pace(batch_size=20, max_concurrent=2, batch_delay_ms=500),) * 2


async def test_a_venue_stays_open_while_nothing_changes(opener: VenueOpener) -> None:
    assert await opener.feed("c1", private=False) is await opener.feed("c1", private=False)


async def test_an_order_whose_name_is_lost_is_told_from_those_of_other_connections(
    opener: VenueOpener,
) -> None:
    a_connection("c2").save()
    number = number_of(order_name(position_id("c1", "key", 1000), Purpose.STOP, 0))

    own, foreign = [
        (await opener.exchange(name, private=False))._wire.names.numbered(number) or ""
        for name in ("c1", "c2")
    ]

    assert not is_of_another(own, "c1")
    assert is_of_another(foreign, "c2")


async def test_connections_of_one_venue_and_network_share_one_budget(opener: VenueOpener) -> None:
    a_connection("c2").save()
    a_connection("c3", is_testnet=True).save()

    async def limits(connection_id: str) -> Limits:
        return (await opener.exchange(connection_id, private=False))._wire.limits

    first = await limits("c1")

    assert await limits("c2") is first
    assert await limits("c3") is not first


def test_a_country_that_is_not_served_is_no_question_of_the_key() -> None:
    refused = friendly(RestrictedLocationError("451 restricted location"), a_connection())
    wrong = friendly(CredentialsError("-2015"), a_connection())

    assert "another region" in refused
    assert "key" not in refused
    assert "does not accept the key" in wrong


async def test_a_venue_stays_open_while_the_settings_do_not_answer(
    opener: VenueOpener, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_settings(SYSTEM, {"max_concurrent": 2}, author="t", now_ms=1)
    feed = await opener.feed("c1", private=False)

    def query(*_: object, **__: object) -> None:
        raise QueryError("no answer")

    monkeypatch.setattr(SettingsRow, "query", query)

    assert await opener.feed("c1", private=False) is feed
