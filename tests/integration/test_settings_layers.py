"""Where settings come from, and what holds while their table does not answer."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from pynamodb.exceptions import QueryError
from tests.fakes import FakeClock
from tests.unit.engine.test_effects import all_changed

from adapters.engine_rows import read_engine, settings_or_last, write_taken
from adapters.leases import RUN, DynamoLeases
from adapters.settings_file import PACKAGED, VARIABLE, file_values
from adapters.stored_settings import SYSTEM, newest_layer, save_settings, settings_of
from adapters.tables import EngineStateRow, SettingsRow
from engine.errors import InvalidSettingError, LeaseLostError, StoreBusyError
from engine.records import Lease, StoredSettings
from engine.settings import DEFAULTS, Settings, overrides, with_values
from engine.values import Loop
from local.profiles import store_profile


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "cts.toml"
    monkeypatch.setenv(VARIABLE, str(path))
    return path


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    def query(*_: object, **__: object) -> Iterator[SettingsRow]:
        raise QueryError("no answer")

    monkeypatch.setattr(SettingsRow, "query", query)


def test_the_packaged_file_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)

    assert PACKAGED.is_file()
    assert file_values() == {}


def test_an_engine_starts_with_an_empty_table(moto_tables: None) -> None:
    assert settings_of("c1") == StoredSettings(settings=DEFAULTS, version=0)


def test_the_file_stands_over_the_defaults_and_under_what_is_stored(
    moto_tables: None, file: Path
) -> None:
    file.write_text(
        "burstSeconds = 20\nmaxPositionsPerExchange.binance = 7\n[risk]\nmax_daily_loss = 1.10\n"
        "[overall]\nmainSymbols = ['BTC']\npositionCooldown = 1\n",
        encoding="utf-8",
    )
    save_settings(SYSTEM, {"positionCooldown": 2}, author="t", now_ms=1)
    save_settings("c1", {"burstSeconds": 30}, author="t", now_ms=1)

    own, other = settings_of("c1").settings, settings_of("c2").settings

    assert (own.burst_s, other.burst_s) == (30, 20)
    assert (own.max_positions_binance, own.max_daily_loss) == (7, Decimal("1.10"))
    assert (own.main_symbols, own.position_cooldown_s) == (("BTC",), 2)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("burstSeconds = ", ["Invalid value (at end of document)"]),
        (
            "burstSeconds = 61\nspeed = 1\n[risk]\npositionCooldown = 1",
            [
                "burstSeconds must be a whole number between 5 and 60 s, was 61",
                "setting 'speed' is unknown",
                "setting positionCooldown belongs under [overall], not [risk]",
            ],
        ),
        ("burstSeconds = 20\n[system]\nburstSeconds = 30", ["setting burstSeconds is given twice"]),
        ("[strategy]\ndcaOnly = true", ["dcaOnly must be false unless dcaEnabled is true"]),
    ],
)
def test_a_wrong_file_is_refused_by_its_name_with_every_problem(
    file: Path, text: str, said: list[str]
) -> None:
    file.write_text(text, encoding="utf-8")

    with pytest.raises(InvalidSettingError) as refused:
        file_values()

    assert str(refused.value).startswith(f"settings file {file}: ")
    assert all(each in str(refused.value) for each in said)


def test_a_file_that_is_not_there_is_refused(file: Path) -> None:
    with pytest.raises(InvalidSettingError, match="No such file"):
        file_values()


def a_lease(clock: FakeClock, loop: Loop) -> Lease:
    leases = DynamoLeases(clock)
    leases.request("c1", loop, wanted=RUN)
    return leases.take("c1", loop, token=0, owner="me", lease_ms=15_000)


def test_each_loop_notes_what_it_took_over_before_it_uses_it(
    moto_tables: None, clock: FakeClock
) -> None:
    EngineStateRow("c1", settings={"burstSeconds": 20}, settings_version=1).save()
    trade, position = (
        StoredSettings(settings=with_values(DEFAULTS, {"positionCooldown": each}), version=each)
        for each in (5, 6)
    )

    write_taken(a_lease(clock, Loop.POSITION), position, now_ms=clock.now_ms())
    early = read_engine("c1")
    write_taken(a_lease(clock, Loop.TRADE), trade, now_ms=clock.now_ms())
    engine = read_engine("c1")

    assert (early.settings.burst_s, early.settings_version) == (20, 1)
    assert (engine.settings, engine.settings_version) == (trade.settings, 5)
    own = engine.of_position_loop()
    assert (own.settings, own.settings_version) == (position.settings, 6)


def test_every_value_survives_being_noted(moto_tables: None, clock: FakeClock) -> None:
    EngineStateRow("c1").save()
    taken = StoredSettings(settings=_fitting(), version=1)

    write_taken(a_lease(clock, Loop.TRADE), taken, now_ms=clock.now_ms())

    assert read_engine("c1").settings == taken.settings


def _fitting() -> Settings:
    apart = {"trailingOnly", "dcaOnly", "trailingEnabled", "dcaDistances", "leaseMarginMs"}
    values = overrides(all_changed())
    return with_values(DEFAULTS, {key: each for key, each in values.items() if key not in apart})


def test_a_loop_whose_lease_is_lost_notes_nothing(moto_tables: None, clock: FakeClock) -> None:
    EngineStateRow("c1", settings={}, settings_version=1).save()
    lease = a_lease(clock, Loop.TRADE)
    clock.advance(20_000)

    with pytest.raises(LeaseLostError):
        write_taken(lease, StoredSettings(settings=DEFAULTS, version=2), now_ms=clock.now_ms())

    assert read_engine("c1").settings_version == 1


def test_a_loop_is_told_of_newer_versions_alone(moto_tables: None, clock: FakeClock) -> None:
    leases = DynamoLeases(clock)
    leases.request("c1", Loop.TRADE, wanted=RUN)

    for version in (3, 2):
        leases.tell_settings("c1", Loop.TRADE, version)

    assert leases.read("c1", Loop.TRADE).settings_version == 3


def test_while_the_table_does_not_answer_the_last_version_holds(
    moto_tables: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    EngineStateRow("c1", settings={"burstSeconds": 20}, settings_version=4).save()
    save_settings("c1", {"burstSeconds": 30}, author="t", now_ms=1)
    unreachable(monkeypatch)

    with pytest.raises(StoreBusyError):
        settings_of("c1")
    kept = settings_or_last("c1")

    assert (kept.settings.burst_s, kept.version) == (20, 4)
    with pytest.raises(StoreBusyError):
        settings_or_last("c2")  # never ran


def test_a_profile_takes_the_place_of_another_and_leaves_what_an_operator_chose(
    moto_tables: None,
) -> None:
    store_profile("demo", {"burstSeconds": 20, "positionCooldown": 0}, now_ms=1)
    store_profile("default", {"burstSeconds": 30}, now_ms=2)
    store_profile("default", {"burstSeconds": 30}, now_ms=3)
    replaced = newest_layer(SYSTEM)
    save_settings(SYSTEM, {"burstSeconds": 40, "riskBudget": 5}, author="operator", now_ms=4)
    store_profile("default", {"burstSeconds": 30}, now_ms=5)
    kept = newest_layer(SYSTEM)

    assert (replaced.values, replaced.version) == ({"burstSeconds": 30}, 2)
    assert (kept.values, kept.version) == ({"burstSeconds": 30, "riskBudget": "5"}, 4)
