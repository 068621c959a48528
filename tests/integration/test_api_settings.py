"""Settings over the API: read, changed as a whole or not at all, and what the loops make of it."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import pytest
from tests.api_world import Answer, ApiWorld

from adapters.leases import RUN
from adapters.refusals import ConflictError
from adapters.stored_settings import SYSTEM, newest_layer, save_settings, settings_of
from adapters.tables import AuditRow, EngineStateRow, SettingsRow
from engine.errors import StoreBusyError
from engine.sets import make_grid
from engine.settings import DEFAULTS, Settings, schema, to_json
from engine.values import Loop

ALL = "/api/settings"


def of(connection_id: str, action: str = "") -> str:
    return f"/api/settings/connections/{connection_id}/settings{action}"


def item(answer: Answer, key: str) -> dict[str, Any]:
    (found,) = (each for each in answer.body["settings"] if each["key"] == key)
    return dict(found)


def change(api: ApiWorld, values: Mapping[str, object], path: str = ALL, **more: object) -> Answer:
    return api.call("PATCH", path, {"values": values, **more})


def audited(subject: str) -> list[AuditRow]:
    rows = AuditRow.query(subject, scan_index_forward=False)
    return [row for row in rows if row.action.startswith("settings.")]


def test_every_key_is_told_as_the_schema_and_the_engine_have_it(api: ApiWorld) -> None:
    told = {each["key"]: each for each in api.get(ALL).body["settings"]}

    assert list(told) == list(schema())
    for field in fields(Settings):
        about, value = field.metadata["setting"], to_json(getattr(DEFAULTS, field.name))
        each = told[about.key]
        assert (each["value"], each["default"]) == (value, value)
        assert (each["tab"], each["unit"], each["text"]) == (about.tab, about.unit, about.text)
        assert each["choices"] == list(about.choices)
        assert each["effect"] in {"at once", "next tick", "next burst", "next engine start"}
        assert [each[name] for name in ("min", "max", "step")] == [
            None if one is None else str(one) for one in (about.minimum, about.maximum, about.step)
        ]
        assert (each["source"], each["version"], each["pending"]) == ("default", 0, False)


def test_what_is_read_can_be_written_back_for_every_key(api: ApiWorld) -> None:
    values = {each["key"]: each["value"] for each in api.get(ALL).body["settings"]}

    answer = change(api, values)

    assert answer.status == 200, answer.text
    assert answer.body["changes"] == []
    assert settings_of("any").settings == DEFAULTS


def test_keys_are_shown_by_tab_and_by_mode(api: ApiWorld) -> None:
    risk = api.get(f"{ALL}?tab=risk").body["settings"]
    main = {each["key"] for each in api.get(f"{ALL}?mode=main").body["settings"]}
    preset = {each["key"] for each in api.get(f"{ALL}?mode=preset").body["settings"]}

    assert {each["tab"] for each in risk} == {"risk"}
    assert main | preset == set(schema())
    assert {"drawdownTimeMain", "mainProfitFactor"} <= main - preset
    assert {"drawdownTimePreset", "rsiEnabled"} <= preset - main


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_change_is_stored_as_a_version_and_audited(api: ApiWorld, method: str) -> None:
    body = {"values": {"maxDailyLossPercent": 5}, "version": 0, "reason": "a bad week"}
    answer = api.call(method, ALL, body)

    assert answer.status == 200, answer.text
    assert answer.body["version"] == 1
    assert answer.body["changes"] == [
        {
            "key": "maxDailyLossPercent",
            "old": "10",
            "new": "5",
            "effect": "next tick",
            "critical": True,
        }
    ]
    told = item(api.get(ALL), "maxDailyLossPercent")
    assert (told["value"], told["source"], told["version"]) == ("5", "system", 1)
    (line,) = audited(SYSTEM)
    assert line.actor.startswith("operator")
    assert line.details == {
        "version": 1,
        "reason": "a bad week",
        "changes": {"maxDailyLossPercent": [None, "5"]},
    }


def test_a_connection_stands_over_the_system_and_a_key_can_be_given_back(api: ApiWorld) -> None:
    one, other = api.created(), api.created(name="Other")
    change(api, {"max_open_positions": 10, "burstSeconds": 20})
    change(api, {"max_open_positions": 100}, of(one))  # the default, decided all the same

    assert item(api.get(of(one)), "max_open_positions")["value"] == 100
    assert (
        item(api.get(f"{ALL}?connectionId={one}"), "max_open_positions")["source"] == "connection"
    )
    assert item(api.get(of(one)), "burstSeconds")["source"] == "system"
    assert item(api.get(of(other)), "max_open_positions")["value"] == 10

    given_back = change(api, {"max_open_positions": None}, of(one))

    assert given_back.body["changes"][0]["new"] == 10
    assert settings_of(one).settings.max_open_positions == 10
    assert newest_layer(one).values == {}


REFUSED: tuple[tuple[dict[str, object], list[str]], ...] = (
    ({"speed": 1}, ["setting 'speed' is unknown"]),
    (
        {"burstSeconds": 61, "max_leverage": "many", "useMainSymbols": 1, "speed": None},
        ["'speed' is unknown", "between 5 and 60 s, was 61", "was 'many'", "true or false, was 1"],
    ),
    ({"trailingOnly": True, "trailingEnabled": False}, ["trailingOnly must be false unless"]),
    ({"leaseMs": 5000, "leaseMarginMs": 4000}, ["two thirds of leaseMs (5000 ms), was 4000"]),
    (
        {
            "directionEnabled": False,
            "moveEnabled": False,
            "activeEnabled": False,
            "tradeMode": "main",
        },
        ["no Set is left to try"],
    ),
    ({"mainSymbols": ["<script>"]}, ["text of letters and digits"]),
    ({"gridRanges": [3] * 101}, ["up to 100 long"]),
    ({"riskBudget": "1." + "1" * 40}, ["riskBudget must be a number"]),
)


@pytest.mark.parametrize(("values", "said"), REFUSED)
def test_a_refused_change_names_every_problem_and_changes_nothing(
    api: ApiWorld, values: dict[str, object], said: list[str]
) -> None:
    connection_id = api.created()
    change(api, {"burstSeconds": 20})
    before = [api.get(path).body for path in (ALL, of(connection_id))]

    for path in (ALL, of(connection_id)):
        answer = change(api, {"max_open_positions": 7, **values}, path)
        tried = api.post(f"{path}/validate", {"values": {"max_open_positions": 7, **values}})
        assert (answer.status, tried.status, tried.body["valid"]) == (400, 200, False)
        for problems in (answer.body["details"], tried.body["problems"]):
            texts = [problem["message"] for problem in problems]
            assert len(texts) == len(said)
            assert all(any(one in text for text in texts) for one in said)

    assert [api.get(path).body for path in (ALL, of(connection_id))] == before
    assert len(audited(SYSTEM)) == 1
    assert audited(connection_id) == []


def test_no_grid_of_sets_is_made_to_accept_a_change(api: ApiWorld) -> None:
    make_grid.cache_clear()
    answer = api.call("PATCH", ALL, {"values": {"maxSetsPerSymbol": 700}})

    assert answer.status == 200
    assert make_grid.cache_info().misses == 0


def test_the_system_takes_no_change_that_a_connection_could_not_run_with(api: ApiWorld) -> None:
    connection_id = api.created()
    assert change(api, {"trailingOnly": True}, of(connection_id)).status == 200

    answer = change(api, {"trailingEnabled": False})

    assert answer.status == 400
    assert f"(connection {connection_id})" in answer.body["details"][0]["message"]
    assert settings_of(connection_id).settings.trailing_enabled


def test_a_change_can_be_tried(api: ApiWorld) -> None:
    values = {"databaseSizeBase": 500, "validationTimeout": 20, "burstSeconds": 30}

    answer = api.post(f"{ALL}/validate", {"values": values})

    assert answer.status == 200
    effects = {each["key"]: each["effect"] for each in answer.body["changes"]}
    assert effects == {
        "databaseSizeBase": "next engine start",
        "validationTimeout": "next tick",
        "burstSeconds": "next burst",
    }
    assert set(answer.body["critical"]) == {"databaseSizeBase", "burstSeconds"}
    assert answer.body["restart_required"] == ["databaseSizeBase"]
    assert newest_layer(SYSTEM).version == 0


def test_a_change_of_what_somebody_changed_meanwhile_is_refused(api: ApiWorld) -> None:
    change(api, {"burstSeconds": 20}, version=0)

    late = change(api, {"burstSeconds": 30}, version=0)

    assert late.status == 409
    assert late.body["reasons"][0]["code"] == "changed_meanwhile"
    assert settings_of("any").settings.burst_s == 20


def test_of_two_changes_at_once_one_wins(api: ApiWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    def other_first(row: SettingsRow, audit: AuditRow) -> None:
        save_settings(SYSTEM, {"burstSeconds": 50}, author="faster", now_ms=1)

    _before_the_write(monkeypatch, other_first)
    late = change(api, {"burstSeconds": 30})

    assert late.status == 409
    assert [row.author for row in SettingsRow.query(SYSTEM)] == ["faster"]
    assert audited(SYSTEM) == []


def _before_the_write(monkeypatch: pytest.MonkeyPatch, act: Any) -> None:
    from adapters import audited as changes

    put = changes.put

    def slow(audit: AuditRow, row: SettingsRow, condition: Any) -> None:
        act(row, audit)
        put(audit, row, condition)

    monkeypatch.setattr(changes, "put", slow)


def test_the_history_tells_who_changed_what_and_why_page_by_page(api: ApiWorld) -> None:
    for seconds in (10, 20, 30):
        change(api, {"burstSeconds": seconds}, reason=f"try {seconds}")
    change(api, {"burstSeconds": None})

    first = api.get(f"{ALL}/versions?limit=3").body
    second = api.get(f"{ALL}/versions?limit=3&cursor={first['cursor']}").body

    told = [*first["versions"], *second["versions"]]
    assert [(each["version"], each["reason"]) for each in told] == [
        (4, ""),
        (3, "try 30"),
        (2, "try 20"),
        (1, "try 10"),
    ]
    assert [each["changes"]["burstSeconds"] for each in told] == [
        [30, None],
        [20, 30],
        [10, 20],
        [None, 10],
    ]
    assert second["cursor"] is None
    assert api.get(f"{ALL}/versions?cursor=nonsense").status == 400


def test_a_roll_back_adds_a_version_equal_to_the_old_one(api: ApiWorld) -> None:
    change(api, {"burstSeconds": 20})
    change(api, {"burstSeconds": 30, "positionCooldown": 5})

    refused = api.post(f"{ALL}/rollback", {"version": 1})
    stale = api.post(f"{ALL}/rollback", {"version": 1, "current": 1}, token="admin")
    never = api.post(f"{ALL}/rollback", {"version": 9}, token="admin")
    answer = api.post(f"{ALL}/rollback", {"version": 1, "reason": "no good"}, token="admin")

    assert (refused.status, stale.status, never.status) == (403, 409, 404)
    assert (answer.status, answer.body["version"]) == (200, 3)
    assert newest_layer(SYSTEM).values == {"burstSeconds": 20}
    line = audited(SYSTEM)[0]
    assert (line.action, line.details["to"]) == ("settings.rollback", 1)
    assert line.details["changes"] == {"burstSeconds": [30, 20], "positionCooldown": [5, None]}
    assert api.post(f"{ALL}/rollback", {"version": 0}, token="admin").status == 200
    assert settings_of("any").settings == DEFAULTS


def test_an_export_is_imported_all_or_nothing(api: ApiWorld) -> None:
    connection_id = api.created()
    change(api, {"burstSeconds": 20, "gridRanges": [3, 5], "riskBudget": "12.5"})
    exported = api.get(f"{ALL}/export").body
    change(api, {"positionCooldown": 5}, of(connection_id))
    path = of(connection_id, "/import")

    def imported(**body: object) -> Answer:
        return api.post(path, {"values": exported["values"], **body}, token="admin")

    assert api.post(path, {"values": {}}).status == 403
    wrong = imported(values={**exported["values"], "speed": 1})
    tried = imported(dryRun=True)
    assert newest_layer(connection_id).values == {"positionCooldown": 5}
    answer = imported(version=1, reason="as elsewhere")

    assert (wrong.status, tried.status, answer.status) == (400, 200, 200)
    assert tried.body["valid"] is True
    assert tried.body["changes"] == answer.body["changes"]
    assert newest_layer(connection_id).values == exported["values"]
    assert api.get(of(connection_id, "/export")).body["values"] == exported["values"]
    assert audited(connection_id)[0].action == "settings.import"


def test_both_loops_are_told_and_the_api_shows_wanted_against_used(api: ApiWorld) -> None:
    connection_id = api.running()
    EngineStateRow(connection_id).update(
        [EngineStateRow.settings.set({}), EngineStateRow.settings_version.set(0)]
    )
    for loop in Loop:
        api.leases.request(connection_id, loop, wanted=RUN)

    answer = change(api, {"positionCooldown": 5, "databaseSizeBase": 500})

    assert answer.body["late"] == []
    (engine,) = api.get("/api/trade-engine/status").body["connections"]
    loops = [engine[name] for name in ("trade_loop", "position_loop")]
    assert [(loop["wanted_settings_version"], loop["settings_version"]) for loop in loops] == [
        (1, 0),
        (1, 0),
    ]
    told = item(api.get(of(connection_id)), "positionCooldown")
    assert (told["value"], told["used"], told["pending"]) == (
        5,
        {"trade": 20, "position": 20},
        True,
    )
    assert not item(api.get(of(connection_id)), "burstSeconds")["pending"]
    assert item(api.get(ALL), "positionCooldown")["used"] == {}


def test_loops_that_cannot_be_told_are_named_and_the_change_holds(
    api: ApiWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection_id = api.created()

    def busy(*_: object) -> None:
        raise StoreBusyError("no answer")

    monkeypatch.setattr(type(api.leases), "tell_settings", busy)
    answer = change(api, {"positionCooldown": 5})

    assert (answer.status, answer.body["late"]) == (200, [connection_id])
    assert settings_of(connection_id).settings.position_cooldown_s == 5


def test_a_loop_that_never_ran_leaves_no_trace_of_being_told(api: ApiWorld) -> None:
    connection_id = api.created()

    change(api, {"positionCooldown": 5})

    assert api.leases.read(connection_id, Loop.TRADE).settings_version == 0


def test_a_stored_key_that_no_schema_knows_can_be_given_back(api: ApiWorld) -> None:
    SettingsRow(SYSTEM, 1, values={"gone": 1}, created_at_ms=1, author="of old").save()

    broken = change(api, {"burstSeconds": 20})
    cured = change(api, {"gone": None})

    assert (broken.status, cured.status) == (400, 200)
    assert settings_of("any").settings == DEFAULTS


def test_settings_of_an_unknown_connection_are_not_found(api: ApiWorld) -> None:
    answers = [
        api.get(of("nobody")),
        api.get(of("nobody", "/versions")),
        api.get(of("nobody", "/export")),
        change(api, {"burstSeconds": 20}, of("nobody")),
        api.post(of("nobody", "/validate"), {"values": {}}),
        api.post(of("nobody", "/rollback"), {"version": 0}, token="admin"),
        api.post(of("nobody", "/import"), {"values": {}}, token="admin"),
    ]

    assert [answer.status for answer in answers] == [404] * 7


def test_a_viewer_reads_and_changes_nothing(api: ApiWorld) -> None:
    assert api.get(ALL, token="viewer").status == 200
    assert api.call("PATCH", ALL, {"values": {}}, token="viewer").status == 403
    assert api.post(f"{ALL}/validate", {"values": {}}, token="viewer").status == 403


def test_a_conflict_is_raised_where_a_profile_is_stored_at_once(
    moto_tables: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.stored_settings.newest_layer", lambda scope: newest_layer(SYSTEM))
    save_settings("a", {"burstSeconds": 20}, author="t", now_ms=1)

    with pytest.raises(ConflictError, match="settings of a were changed"):
        save_settings("a", {"burstSeconds": 30}, author="t", now_ms=2)
