"""Who may call, and what was done."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from adapters.tokens import MAX_DAYS, Role
from models.base import Asked, AskedCamel, Told

Name = Annotated[str, StringConstraints(min_length=1, max_length=60, pattern=r"^[\w .@-]+$")]
ConnectionId = Annotated[str, StringConstraints(pattern=r"^[\w.-]{1,64}$")]
Subject = Annotated[str, StringConstraints(pattern=r"^[\w.#:-]{1,96}$")]


class NewTokenAsked(AskedCamel):
    """A token to be: without days it does not expire, without connections it reaches all."""

    name: Name
    role: Role
    days: Annotated[int, Field(ge=1, le=MAX_DAYS)] | None = None
    connections: Annotated[list[ConnectionId], Field(min_length=1, max_length=100)] | None = None
    changes_per_minute: Annotated[int, Field(ge=1, le=10_000)] | None = None

    @model_validator(mode="after")
    def _admins_reach_everything(self) -> "NewTokenAsked":
        if self.role is Role.ADMIN and self.connections is not None:
            raise ValueError("an admin's token reaches everything: leave the connections out")
        return self


class TokenTold(Told):
    """A token without its secret; `last_used_ms` is right to ten minutes."""

    id: str
    name: str
    role: Role
    connections: list[str] | None
    created_at_ms: int
    created_by: str
    expires_at_ms: int | None
    revoked_at_ms: int | None
    last_used_ms: int | None
    changes_per_minute: int | None


class TokensAnswer(Told):
    """All tokens, newest first."""

    success: bool = True
    count: int
    tokens: list[TokenTold]


class TokenIssued(Told):
    """The one time that a token is shown; null in an answer repeated under its Idempotency-Key."""

    success: bool = True
    message: str
    token: str | None
    record: TokenTold


class TokenAnswer(Told):
    """One token's record."""

    success: bool = True
    message: str
    record: TokenTold


class MeAnswer(Told):
    """Who asks; `connections` is null for one who reaches all of them."""

    success: bool = True
    name: str
    role: Role
    connections: list[str] | None
    expires_at_ms: int | None


class AuditQuery(Asked):
    """Of one subject, a connection's id or such as "tokens"; without it of all, and no cursor."""

    subject: Subject | None = None
    limit: Annotated[int, Field(ge=1, le=500)] = 100
    cursor: Annotated[str, StringConstraints(pattern=r"^\d{13}#\w{1,16}$")] | None = None


class AuditLine(Told):
    """Who did what, when, and its place in the subject's chain; null if older than chains."""

    subject: str
    at_ms: int
    action: str
    actor: str
    details: dict[str, object]
    seq: int | None
    prev_hash: str | None
    hash: str | None


class AuditAnswer(Told):
    """One page, newest first; `cursor` is null on the last."""

    success: bool = True
    count: int
    data: list[AuditLine]
    cursor: str | None


class VerifyQuery(Asked):
    """Of one subject, else of all."""

    subject: Subject | None = None


class FaultTold(Told):
    """What is wrong with a chain, and at which row."""

    subject: str
    at_key: str
    seq: int | None
    problem: str


class ChainTold(Told):
    """One chain: keep `head_hash` elsewhere, and a log written anew as a whole shows too."""

    subject: str
    rows: int
    unchained: int
    head_seq: int
    head_hash: str


class VerifyAnswer(Told):
    """Whether every chain holds; `unchained` rows are older than chains and prove nothing."""

    success: Literal[True] = True
    holds: bool
    rows: int
    chains: list[ChainTold]
    faults: list[FaultTold]
