"""Models of the settings routes."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, JsonValue

from models.base import AskedCamel, Told, ToldCamel
from models.engine import ConnectionId

Values = Annotated[dict[str, JsonValue], Field(max_length=400)]
Version = Annotated[int, Field(ge=0, le=10**12)]
Reason = Annotated[str, Field(max_length=500)]
Tab = Annotated[str, Field(min_length=1, max_length=30)]
Mode = Literal["main", "preset"]


class ScopeQuery(AskedCamel):
    """Keys of one tab, and those that a trade mode reads."""

    tab: Tab | None = None
    mode: Mode | None = None


class SettingsQuery(ScopeQuery):
    """The same, as one connection has them instead of the system."""

    connection_id: ConnectionId | None = None


class SettingsChange(AskedCamel):
    """Keys to change; null gives one back to what is inherited. `version` is the one last read."""

    values: Values
    version: Version | None = None
    reason: Reason = ""


class SettingsCheck(AskedCamel):
    """A change to try without storing it."""

    values: Values
    version: Version | None = None


class Rollback(AskedCamel):
    """The version whose values come back, as a new one; 0 is before the first change.

    `current` is the version last read.
    """

    version: Version
    current: Version | None = None
    reason: Reason = ""


class SettingsImport(AskedCamel):
    """All that the scope is to decide, as an export holds it; what it leaves out is inherited."""

    values: Values
    version: Version | None = None
    reason: Reason = ""
    dry_run: bool = False


class VersionsQuery(AskedCamel):
    """A page of the history."""

    limit: Annotated[int, Field(ge=1, le=100)] = 20
    cursor: Annotated[str, Field(max_length=2048)] | None = None


class SettingTold(Told):
    """One key: what it may be, what it is, who decided so, and what the loops use.

    `source` is default, file, system or connection, and `version` that source's. `used` holds each
    loop's value once the engine ran; `pending` says that one still differs.
    """

    key: str
    value: JsonValue
    default: JsonValue
    type: str
    min: Decimal | None
    max: Decimal | None
    step: Decimal | None
    unit: str
    choices: list[str]
    tab: str
    mode: str
    effect: str
    critical: bool
    text: str
    source: str
    version: int
    used: dict[str, JsonValue]
    pending: bool


class SettingsAnswer(ToldCamel):
    """Settings of a scope. `version` is the scope's own, for the next change.

    `settingsVersion` is that of all sources together; the loops report it as theirs.
    """

    success: bool = True
    scope: str
    version: int
    settings_version: int = Field(alias="settings_version")
    used_versions: dict[str, int] = Field(alias="used_versions")
    settings: list[SettingTold]


class ChangeTold(Told):
    """One value that differs, from when it counts, and whether it deserves a second look."""

    key: str
    old: JsonValue
    new: JsonValue
    effect: str
    critical: bool


class ProblemTold(Told):
    """What is wrong with a key; the field is empty where several do not fit together."""

    field: str
    message: str


class ChangeAnswer(Told):
    """What a change did. `late` lists connections whose loops hear of it at their next burst."""

    success: bool = True
    message: str
    scope: str
    version: int
    changes: list[ChangeTold]
    critical: list[str]
    restart_required: list[str]
    late: list[str] = Field(default_factory=list)


class CheckAnswer(Told):
    """What a change would do, or every reason why it would be refused."""

    success: bool = True
    valid: bool
    problems: list[ProblemTold] = Field(default_factory=list)
    message: str = ""
    scope: str = ""
    version: int = 0
    changes: list[ChangeTold] = Field(default_factory=list)
    critical: list[str] = Field(default_factory=list)
    restart_required: list[str] = Field(default_factory=list)


class ImportAnswer(CheckAnswer):
    """What an import did; with `dryRun`, what it would do."""

    late: list[str] = Field(default_factory=list)


class VersionTold(Told):
    """One version: who stored it when and why, and key -> [old, new] against the one before."""

    version: int
    created_at_ms: int
    author: str
    reason: str
    changes: dict[str, list[JsonValue]]


class VersionsAnswer(Told):
    """A page of versions, the newest first."""

    success: bool = True
    scope: str
    versions: list[VersionTold]
    cursor: str | None


class SettingsExported(Told):
    """What a scope decides; `values` is what an import takes."""

    success: bool = True
    scope: str
    version: int
    settings_version: int
    exported_at_ms: int
    values: dict[str, JsonValue]
