"""Settings an operator changed: versions that are only ever added."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pynamodb.exceptions import PutError

from adapters.audited import CHANGED
from adapters.refusals import ConflictError
from adapters.tables import SettingsRow
from adapters.transactions import is_refused, reading
from engine.settings import Settings, overrides, with_values

SYSTEM = "system"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSettings:
    """What a connection runs with; `version` grows with every change of either scope."""

    settings: Settings
    version: int


def settings_of(connection_id: str) -> StoredSettings:
    """The defaults, changed by the system's newest version and then by the connection's."""
    rows = [row for row in (_newest(SYSTEM), _newest(connection_id)) if row is not None]
    settings = Settings()
    for row in rows:
        settings = with_values(settings, row.values)
    return StoredSettings(settings=settings, version=sum(row.version for row in rows))


def save_settings(scope: str, values: Mapping[str, Any], *, author: str, now_ms: int) -> int:
    """Add a version that replaces the scope's whole set of changed values; returns its number.

    Raises
    ------
    InvalidSettingError
        Naming the key, its value and the allowed range.
    ConflictError
        If somebody else added a version at the same moment.
    """
    checked = overrides(with_values(Settings(), values))
    newest = _newest(scope)
    version = (newest.version if newest else 0) + 1
    row = SettingsRow(scope, version, values=checked, created_at_ms=now_ms, author=author)
    try:
        row.save(condition=SettingsRow.version.does_not_exist())
    except PutError as error:
        if is_refused(error):
            raise ConflictError(f"the settings of {scope} were changed", CHANGED) from error
        raise
    return version


def _newest(scope: str) -> SettingsRow | None:
    with reading("settings"):
        rows = SettingsRow.query(scope, scan_index_forward=False, limit=1, consistent_read=True)
        return next(iter(rows), None)
