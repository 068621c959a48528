"""Settings of the system and of each connection: read, change, try, roll back, export, import."""

from chalice.app import Blueprint

from adapters.stored_settings import SYSTEM
from adapters.tokens import Role
from models.settings import (
    ChangeAnswer,
    CheckAnswer,
    ImportAnswer,
    Rollback,
    ScopeQuery,
    SettingsAnswer,
    SettingsChange,
    SettingsCheck,
    SettingsExported,
    SettingsImport,
    SettingsQuery,
    VersionsAnswer,
    VersionsQuery,
)
from operation import operation
from services import services

settings = Blueprint(__name__)
ALL = "/api/settings"
ONE = "/api/settings/connections/{connection_id}/settings"


@operation(settings, ("GET",), ALL, query=SettingsQuery, answer=SettingsAnswer, failures=(404,))
def list_settings(*, query: SettingsQuery, caller: str) -> SettingsAnswer:
    """Every setting with its range, its value and where that comes from."""
    found = services().setting_views.settings(
        query.connection_id or SYSTEM, tab=query.tab, mode=query.mode
    )
    return SettingsAnswer.model_validate(found)


@operation(settings, ("GET",), ONE, query=ScopeQuery, answer=SettingsAnswer, failures=(404,))
def list_settings_of_connection(
    connection_id: str, *, query: ScopeQuery, caller: str
) -> SettingsAnswer:
    """The same as one connection has them, and what its loops use."""
    found = services().setting_views.settings(connection_id, tab=query.tab, mode=query.mode)
    return SettingsAnswer.model_validate(found)


@operation(
    settings, ("PUT", "PATCH"), ALL, body=SettingsChange, answer=ChangeAnswer, failures=(409,)
)
def change_settings(*, body: SettingsChange, caller: str) -> ChangeAnswer:
    """Change settings for every connection that does not decide them itself."""
    return _changed(SYSTEM, body, caller)


@operation(
    settings, ("PUT", "PATCH"), ONE, body=SettingsChange, answer=ChangeAnswer, failures=(404, 409)
)
def change_settings_of_connection(
    connection_id: str, *, body: SettingsChange, caller: str
) -> ChangeAnswer:
    """Change settings of one connection."""
    return _changed(connection_id, body, caller)


@operation(
    settings, ("POST",), f"{ALL}/validate", body=SettingsCheck, answer=CheckAnswer, failures=(409,)
)
def validate_settings(*, body: SettingsCheck, caller: str) -> CheckAnswer:
    """Try a change: what would differ from when on, or every problem."""
    return _checked(SYSTEM, body)


@operation(
    settings,
    ("POST",),
    f"{ONE}/validate",
    body=SettingsCheck,
    answer=CheckAnswer,
    failures=(404, 409),
)
def validate_settings_of_connection(
    connection_id: str, *, body: SettingsCheck, caller: str
) -> CheckAnswer:
    """Try a change of one connection."""
    return _checked(connection_id, body)


@operation(settings, ("GET",), f"{ALL}/versions", query=VersionsQuery, answer=VersionsAnswer)
def list_settings_versions(*, query: VersionsQuery, caller: str) -> VersionsAnswer:
    """Who changed what, when and why, the newest first."""
    return _versions(SYSTEM, query)


@operation(
    settings,
    ("GET",),
    f"{ONE}/versions",
    query=VersionsQuery,
    answer=VersionsAnswer,
    failures=(404,),
)
def list_settings_versions_of_connection(
    connection_id: str, *, query: VersionsQuery, caller: str
) -> VersionsAnswer:
    """The same of one connection."""
    return _versions(connection_id, query)


@operation(
    settings,
    ("POST",),
    f"{ALL}/rollback",
    body=Rollback,
    answer=ChangeAnswer,
    failures=(404, 409),
    role=Role.ADMIN,
)
def roll_back_settings(*, body: Rollback, caller: str) -> ChangeAnswer:
    """Add a version equal to an older one."""
    return _rolled_back(SYSTEM, body, caller)


@operation(
    settings,
    ("POST",),
    f"{ONE}/rollback",
    body=Rollback,
    answer=ChangeAnswer,
    failures=(404, 409),
    role=Role.ADMIN,
)
def roll_back_settings_of_connection(
    connection_id: str, *, body: Rollback, caller: str
) -> ChangeAnswer:
    """Add a version equal to an older one of a connection."""
    return _rolled_back(connection_id, body, caller)


@operation(settings, ("GET",), f"{ALL}/export", answer=SettingsExported)
def export_settings(*, caller: str) -> SettingsExported:
    """What the system decides, as an import takes it."""
    return SettingsExported.model_validate(services().setting_views.export(SYSTEM))


@operation(settings, ("GET",), f"{ONE}/export", answer=SettingsExported, failures=(404,))
def export_settings_of_connection(connection_id: str, *, caller: str) -> SettingsExported:
    """What one connection decides, as an import takes it."""
    return SettingsExported.model_validate(services().setting_views.export(connection_id))


@operation(
    settings,
    ("POST",),
    f"{ALL}/import",
    body=SettingsImport,
    answer=ImportAnswer,
    failures=(409,),
    role=Role.ADMIN,
)
def import_settings(*, body: SettingsImport, caller: str) -> ImportAnswer:
    """Let the system decide exactly these values, all or nothing."""
    return _imported(SYSTEM, body, caller)


@operation(
    settings,
    ("POST",),
    f"{ONE}/import",
    body=SettingsImport,
    answer=ImportAnswer,
    failures=(404, 409),
    role=Role.ADMIN,
)
def import_settings_of_connection(
    connection_id: str, *, body: SettingsImport, caller: str
) -> ImportAnswer:
    """Let one connection decide exactly these values, all or nothing."""
    return _imported(connection_id, body, caller)


def _changed(scope: str, body: SettingsChange, caller: str) -> ChangeAnswer:
    made = services().setting_changes.change(
        scope, body.values, version=body.version, reason=body.reason, by=caller
    )
    return ChangeAnswer.model_validate(made)


def _checked(scope: str, body: SettingsCheck) -> CheckAnswer:
    found = services().setting_changes.validate(scope, body.values, version=body.version)
    return CheckAnswer.model_validate(found)


def _versions(scope: str, query: VersionsQuery) -> VersionsAnswer:
    found = services().setting_views.versions(scope, limit=query.limit, cursor=query.cursor)
    return VersionsAnswer.model_validate(found)


def _rolled_back(scope: str, body: Rollback, caller: str) -> ChangeAnswer:
    made = services().setting_changes.roll_back(
        scope, body.version, version=body.current, reason=body.reason, by=caller
    )
    return ChangeAnswer.model_validate(made)


def _imported(scope: str, body: SettingsImport, caller: str) -> ImportAnswer:
    changes = services().setting_changes
    if body.dry_run:
        tried = changes.try_to_replace(scope, body.values, version=body.version)
        return ImportAnswer.model_validate(tried)
    made = changes.replace_all(
        scope, body.values, version=body.version, reason=body.reason, by=caller
    )
    return ImportAnswer.model_validate(made | {"valid": True})
