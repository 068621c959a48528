"""Changes of settings by an operator: checked as a whole, stored as a version, told to the loops.

A scope is "system" or a connection. What the system decides holds for every connection that does
not decide it itself, so a change of the system must fit all of them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pynamodb.exceptions import PynamoDBException

from adapters import accounts, audited
from adapters.audited import CHANGED, audit_row
from adapters.leases import DynamoLeases
from adapters.refusals import ConflictError
from adapters.setting_diffs import View, changes, decided, needs_start
from adapters.setting_views import version_of
from adapters.stored_settings import (
    SYSTEM,
    Layer,
    layers_of,
    newest_layer,
    together,
    version_row,
)
from adapters.tables import SettingsRow
from engine.errors import InvalidSettingError, RetryableError
from engine.ports import Clock, Log
from engine.records import StoredSettings
from engine.sets import check_grid
from engine.settings import DEFAULTS, checked_values, schema, to_json
from engine.values import Loop

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A checked change: what the scope would decide, and what each connection would run with."""

    scope: str
    before: Layer
    after: Layer
    now: StoredSettings  # of the scope: a connection's, or what the system gives to all
    then: StoredSettings
    versions: Mapping[str, int]  # connection -> the version its loops are to run with

    @property
    def changed(self) -> list[View]:
        """The values that differ in effect."""
        return changes(self.now.settings, self.then.settings)


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingChanges:
    """What an operator does to settings; every change is audited with who, when, why and what."""

    leases: DynamoLeases
    clock: Clock
    log: Log

    def change(
        self, scope: str, values: Values, *, version: int | None, reason: str, by: str
    ) -> View:
        """Change some keys; null gives a key back to what the scope inherits.

        Raises
        ------
        InvalidSettingError
            Naming everything that is wrong; nothing is stored then.
        UnknownError, ConflictError
            If there is no such connection; if the settings changed since they were read.
        """
        proposal = self._proposal(scope, values, version=version)
        if proposal.before.values == proposal.after.values:
            return _told(proposal, proposal.before.version, "nothing changes")
        return self._store(proposal, "settings.change", reason=reason, by=by)

    def validate(self, scope: str, values: Values, *, version: int | None) -> View:
        """What `change` would do; `valid` is false, with every problem, for what it would refuse.

        Raises
        ------
        UnknownError, ConflictError
            As `change` does.
        """
        return self._tried(lambda: self._proposal(scope, values, version=version))

    def roll_back(self, scope: str, to: int, *, version: int | None, reason: str, by: str) -> View:
        """Add a version that decides what the version `to` did; raises like `change`."""
        values = version_of(scope, to).values
        proposal = self._proposal(scope, values, version=version, whole=True)
        details = {"to": to}
        return self._store(proposal, "settings.rollback", reason=reason, by=by, details=details)

    def replace_all(
        self, scope: str, values: Values, *, version: int | None, reason: str, by: str
    ) -> View:
        """Let the scope decide exactly `values`, all or nothing; raises like `change`."""
        proposal = self._proposal(scope, values, version=version, whole=True)
        return self._store(proposal, "settings.import", reason=reason, by=by)

    def try_to_replace(self, scope: str, values: Values, *, version: int | None) -> View:
        """What `replace_all` would do, as `validate` tells it."""
        return self._tried(lambda: self._proposal(scope, values, version=version, whole=True))

    def _tried(self, propose: Callable[[], Proposal]) -> View:
        try:
            proposal = propose()
        except InvalidSettingError as error:
            problems = [{"field": key, "message": text} for key, text in error.problems]
            return {"valid": False, "problems": problems}
        made = _told(proposal, proposal.before.version, "nothing was stored")
        return made | {"valid": True}

    def _proposal(
        self, scope: str, values: Values, *, version: int | None, whole: bool = False
    ) -> Proposal:
        """Checks everything that can be wrong with a change before any of it is stored."""
        if scope != SYSTEM:
            accounts.connection_row(scope)
        layers = layers_of(scope)
        before = layers[-1]
        if version is not None and version != before.version:
            held = f"the settings of {scope} are at version {before.version}, not {version}"
            raise ConflictError(held, CHANGED)
        kept = {} if whole else dict(before.values)
        after = replace(before, version=before.version + 1, values=_merged(kept, values))
        then = _fitting((*layers[:-1], after), scope)
        versions = {scope: then.version} if scope != SYSTEM else _under(layers[0], after)
        return Proposal(
            scope=scope,
            before=before,
            after=after,
            now=_now(layers),
            then=then,
            versions=versions,
        )

    def _store(
        self,
        proposal: Proposal,
        action: str,
        *,
        reason: str,
        by: str,
        details: Values | None = None,
    ) -> View:
        now_ms, after = self.clock.now_ms(), proposal.after
        row = version_row(
            proposal.scope, after.version, after.values, author=by, now_ms=now_ms, reason=reason
        )
        diff = decided(proposal.before.values, row.values)
        told = {"version": after.version, "reason": reason, "changes": diff, **(details or {})}
        audit = audit_row(proposal.scope, action, by=by, now_ms=now_ms, details=told)
        audited.put(audit, row, SettingsRow.version.does_not_exist())
        late = [one for one, version in proposal.versions.items() if not self._tell(one, version)]
        return _told(proposal, after.version, "the settings were changed") | {"late": late}

    def _tell(self, connection_id: str, version: int) -> bool:
        """Whether the loops were told; those that were not find out at their next burst."""
        try:
            for loop in Loop:
                self.leases.tell_settings(connection_id, loop, version)
        except (RetryableError, PynamoDBException) as error:
            told = {"connection_id": connection_id, "version": version, "error": str(error)}
            self.log.problem("loops not told of settings", told)
            return False
        return True


def _merged(kept: dict[str, Any], values: Values) -> dict[str, Any]:
    """`kept` with the values, each checked for itself; None takes a key out."""
    given = {key: value for key, value in values.items() if value is not None}
    unset = [key for key in values if key not in given]
    problems = [
        (key, f"setting {key[:64]!r} is unknown")
        for key in unset
        if key not in schema() and key not in kept
    ]
    try:
        made = {key: to_json(value) for key, value in checked_values(given).items()}
    except InvalidSettingError as error:
        problems += error.problems
    if problems:
        raise InvalidSettingError("; ".join(text for _, text in problems), tuple(problems))
    return {key: value for key, value in (kept | made).items() if key not in unset}


def _now(layers: tuple[Layer, ...]) -> StoredSettings:
    """What holds so far; the defaults where that fits no more, so that it can be cured."""
    try:
        return together(layers)
    except InvalidSettingError:
        return StoredSettings(settings=DEFAULTS, version=sum(layer.version for layer in layers))


def _fitting(layers: tuple[Layer, ...], name: str) -> StoredSettings:
    """What the layers make together, and that an engine could start with it."""
    try:
        made = together(layers)
        check_grid(made.settings)
    except InvalidSettingError as error:
        problems = tuple((key, f"{text} ({name})") for key, text in error.problems)
        raise InvalidSettingError(f"{error} ({name})", problems) from error
    return made


def _under(file: Layer, system: Layer) -> dict[str, int]:
    """The version each connection would run with under a changed system; all of them must fit."""
    versions: dict[str, int] = {}
    problems: list[tuple[str, str]] = []
    for row in accounts.connection_rows():
        own = newest_layer(row.connection_id)
        try:
            fits = _fitting((file, system, own), f"connection {row.connection_id}")
        except InvalidSettingError as error:
            problems += error.problems
        else:
            versions[row.connection_id] = fits.version
    if problems:
        raise InvalidSettingError("; ".join(text for _, text in problems), tuple(problems))
    return versions


def _told(proposal: Proposal, version: int, message: str) -> View:
    changed = proposal.changed
    return {
        "message": f"{proposal.scope}: {message}",
        "scope": proposal.scope,
        "version": version,
        "changes": changed,
        "critical": [one["key"] for one in changed if one["critical"]],
        "restart_required": needs_start(changed),
    }
