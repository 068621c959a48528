"""Settings as the API tells them: every key with what it may be, what it is, and why."""

from dataclasses import dataclass
from typing import Any

from adapters import accounts
from adapters.engine_states import read_state
from adapters.paging import from_cursor, to_cursor
from adapters.refusals import UnknownError
from adapters.setting_diffs import decided, is_critical
from adapters.stored_settings import SYSTEM, Layer, layers_of, reading_settings, together
from adapters.tables import EngineStateRow, SettingsRow
from engine.ports import Clock
from engine.records import StoredSettings
from engine.setting import Setting, Value
from engine.setting_modes import mode_of
from engine.settings import DEFAULTS, Settings, schema, to_json, value_of, with_values

View = dict[str, Any]
_CURSOR = {"connection_id": "S", "version": "N"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingViews:
    """Reads the versions of settings, and what the loops took over of them."""

    clock: Clock

    def settings(self, scope: str, *, tab: str | None = None, mode: str | None = None) -> View:
        """Every key of a tab and a mode, or all, as `scope` has them.

        Raises
        ------
        UnknownError
            If there is no such connection.
        """
        if scope != SYSTEM:
            accounts.connection_row(scope)
        layers = layers_of(scope)
        stored = together(layers)
        used = [] if scope == SYSTEM else _used(read_state(scope))
        keys = [about for about in schema().values() if _is_asked(about, tab, mode)]
        return {
            "scope": scope,
            "version": layers[-1].version,
            "settings_version": stored.version,
            "used_versions": {name: each.version for name, each in used},
            "settings": [_item(about, stored.settings, layers, used) for about in keys],
        }

    def versions(self, scope: str, *, limit: int, cursor: str | None) -> View:
        """Who changed what, when and why, the newest first."""
        if scope != SYSTEM:
            accounts.connection_row(scope)
        start = from_cursor(cursor, connection_id=scope, kinds=_CURSOR)
        before = None if start is None else SettingsRow.version < int(start["version"]["N"])
        with reading_settings():
            rows = list(SettingsRow.query(scope, before, scan_index_forward=False, limit=limit + 1))
        shown = rows[:limit]
        older = [*rows[1:], None][: len(shown)]
        last = (
            {"connection_id": {"S": scope}, "version": {"N": str(shown[-1].version)}}
            if shown
            else None
        )
        return {
            "scope": scope,
            "versions": [_version(row, past) for row, past in zip(shown, older, strict=True)],
            "cursor": to_cursor(last) if len(rows) > limit else None,
        }

    def export(self, scope: str) -> View:
        """What a scope decides, to be imported here or elsewhere."""
        if scope != SYSTEM:
            accounts.connection_row(scope)
        layers = layers_of(scope)
        return {
            "scope": scope,
            "version": layers[-1].version,
            "settings_version": together(layers).version,
            "exported_at_ms": self.clock.now_ms(),
            "values": dict(layers[-1].values),
        }


def version_of(scope: str, version: int) -> SettingsRow:
    """One stored version; 0 decides nothing.

    Raises
    ------
    UnknownError
        If the scope never had it.
    """
    if version == 0:
        return SettingsRow(scope, 0, values={})
    with reading_settings():
        try:
            return SettingsRow.get(scope, version, consistent_read=True)
        except SettingsRow.DoesNotExist as error:
            raise UnknownError(f"{scope} has no version {version} of its settings") from error


def _used(state: EngineStateRow) -> list[tuple[str, StoredSettings]]:
    """What each loop took over last; nothing before the engine ever started."""
    trade = _taken(state.settings, state.settings_version)
    own = _taken(state.position_settings, state.position_settings_version)
    return [] if trade is None else [("trade", trade), ("position", own or trade)]


def _taken(values: Any, version: int | None) -> StoredSettings | None:
    if version is None:
        return None
    return StoredSettings(settings=with_values(Settings(), values or {}), version=version)


def _is_asked(about: Setting, tab: str | None, mode: str | None) -> bool:
    own = mode_of(about)
    return tab in (None, about.tab) and (mode is None or own is None or own.value == mode)


def _item(
    about: Setting,
    settings: Settings,
    layers: tuple[Layer, ...],
    used: list[tuple[str, StoredSettings]],
) -> View:
    value, default, mode = (
        value_of(settings, about.key),
        value_of(DEFAULTS, about.key),
        mode_of(about),
    )
    source = next((layer for layer in reversed(layers) if about.key in layer.values), None)
    own = {name: value_of(each.settings, about.key) for name, each in used}
    return {
        "key": about.key,
        "value": to_json(value),
        "default": to_json(default),
        "type": _type(default),
        "min": about.minimum,
        "max": about.maximum,
        "step": about.step,
        "unit": about.unit,
        "choices": list(about.choices),
        "tab": about.tab,
        "mode": "both" if mode is None else mode.value,
        "effect": about.effect.value,
        "critical": is_critical(about),
        "text": about.text,
        "source": _source(source),
        "version": source.version if source else 0,
        "used": {name: to_json(taken) for name, taken in own.items()},
        "pending": any(taken != value for taken in own.values()),
    }


def _source(layer: Layer | None) -> str:
    if layer is None:
        return "default"
    return layer.name if layer.name in (SYSTEM, "file") else "connection"


def _type(default: Value) -> str:
    if isinstance(default, tuple):
        return f"list of {_type(default[0])}"
    names = {bool: "switch", int: "whole number", str: "text"}
    return names.get(type(default), "decimal")


def _version(row: SettingsRow, past: SettingsRow | None) -> View:
    return {
        "version": row.version,
        "created_at_ms": row.created_at_ms,
        "author": row.author,
        "reason": row.reason or "",
        "changes": decided({} if past is None else past.values, row.values),
    }
