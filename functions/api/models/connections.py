"""Models of the connection routes."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field, SecretStr, model_validator

from adapters.venues.registry import SPOT, refuse_unfit, venue_named
from engine.errors import RefusedError
from models.base import Asked, Told, ToldCamel

MAX_DIGITS = 6

ApiType = Literal["perpetual_futures", "spot"]
Method = Literal["rest", "websocket", "hybrid", "library"]
MarginType = Literal["cross", "isolated"]
PositionMode = Literal["hedge", "one_way"]
Name = Annotated[str, Field(min_length=1, max_length=100)]
Secret = Annotated[SecretStr, Field(min_length=8, max_length=512)]


def _short(value: Decimal) -> Decimal:
    """Refuse many digits; pydantic's own check rounds to 28 before it counts."""
    if len(value.as_tuple().digits) > MAX_DIGITS:
        raise ValueError(f"at most {MAX_DIGITS} digits are kept")
    return value


def _canonical(name: str) -> str:
    """The venue's own name; raises ValueError for one that is not supported, with why."""
    try:
        return venue_named(name).name
    except RefusedError as error:
        raise ValueError(str(error)) from error


Exchange = Annotated[str, Field(min_length=1, max_length=30), AfterValidator(_canonical)]
VolumeFactor = Annotated[Decimal, Field(ge=Decimal("0.1"), le=Decimal(10)), AfterValidator(_short)]
Library = Literal["ccxt"]
"""What speaks to every venue."""


class NewConnection(Asked):
    """An exchange account to be; it starts enabled but not active until a test succeeds."""

    name: Name
    exchange: Exchange
    api_key: Secret
    api_secret: Secret
    api_passphrase: SecretStr | None = None
    api_type: ApiType = "perpetual_futures"
    connection_method: Method = "rest"
    connection_library: Library = "ccxt"
    margin_type: MarginType = "cross"
    position_mode: PositionMode = "hedge"
    is_testnet: bool = False
    is_paper: bool = False
    volume_factor: VolumeFactor = Decimal(1)

    @model_validator(mode="after")
    def _fits_the_venue(self) -> "NewConnection":
        venue = venue_named(self.exchange)
        hedge = self.position_mode == "hedge" and self.api_type != SPOT
        try:
            refuse_unfit(venue, self.api_type, hedge=hedge, passphrase=bool(self.api_passphrase))
        except RefusedError as error:
            raise ValueError(str(error)) from error
        return self


class ConnectionChange(Asked):
    """What an operator may change; new credentials come as key and secret together."""

    model_config = ConfigDict(json_schema_extra={"example": {"volume_factor": "0.5", "version": 3}})

    name: Name | None = None
    api_key: Secret | None = None
    api_secret: Secret | None = None
    api_passphrase: SecretStr | None = None
    margin_type: MarginType | None = None
    position_mode: PositionMode | None = None
    is_testnet: bool | None = None
    is_paper: bool | None = None
    volume_factor: VolumeFactor | None = None
    version: Annotated[int | None, Field(ge=0)] = None

    @model_validator(mode="after")
    def _whole_credentials(self) -> "ConnectionChange":
        if (self.api_key is None) != (self.api_secret is None):
            raise ValueError("api_key and api_secret are changed together")
        if self.api_passphrase is not None and self.api_key is None:
            raise ValueError("api_passphrase is changed together with api_key and api_secret")
        return self


class Flags(Asked):
    """The switches of a connection; those left out stay as they are."""

    model_config = ConfigDict(json_schema_extra={"example": {"is_live_trade": True}})

    is_active: bool | None = None
    is_enabled: bool | None = None
    is_live_trade: bool | None = None
    is_preset_trade: bool | None = None
    version: Annotated[int | None, Field(ge=0)] = None

    @model_validator(mode="after")
    def _some_flag(self) -> "Flags":
        if all(
            flag is None
            for flag in (self.is_active, self.is_enabled, self.is_live_trade, self.is_preset_trade)
        ):
            raise ValueError("name at least one flag")
        return self


class ConnectionFilter(Asked):
    """Which connections to list."""

    exchange: str | None = None
    apiType: str | None = None  # noqa: N815
    enabled: bool | None = None
    active: bool | None = None


class ConnectionTold(Told):
    """A connection without its secrets: of the key only the last four characters are kept."""

    id: str
    name: str
    exchange: str
    api_type: str
    connection_method: str
    connection_library: Library
    margin_type: str
    position_mode: str
    is_testnet: bool
    is_paper: bool
    is_enabled: bool
    is_active: bool
    is_live_trade: bool
    is_preset_trade: bool
    volume_factor: Decimal
    api_key_last4: str
    last_test_at: int | None
    last_test_result: str
    last_test_message: str
    last_test_balance: str
    engine_running: bool
    engine_started_at: int | None
    created_at_ms: int
    updated_at_ms: int
    version: int


class Created(Told):
    """The answer to a created connection."""

    success: bool = True
    id: str
    message: str
    connection: ConnectionTold


class ConnectionAnswer(Told):
    """One connection."""

    success: bool = True
    message: str = ""
    connection: ConnectionTold


class ConnectionsAnswer(Told):
    """The connections that fit the filters."""

    success: bool = True
    count: int
    filters: dict[str, object]
    connections: list[ConnectionTold]


class Deleted(Told):
    """The connection is gone, its history stays."""

    success: bool = True
    id: str
    message: str


class LogLine(Told):
    """One step of a connection test."""

    at_ms: int
    text: str


class TestAnswer(ToldCamel):
    """What a connection test found; `success` is false if the venue or the key refused it."""

    __test__ = False  # not a test case

    success: bool
    error: str = ""
    details: list[object] = Field(default_factory=list)
    warnings: list[str] = Field(default_factory=list)
    balance: str = ""
    balances: list[dict[str, str]] = Field(default_factory=list)
    capabilities: list[str] = Field(default_factory=list)
    log: list[LogLine]
    duration: int
    connection: ConnectionTold
