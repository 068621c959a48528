"""Bearer tokens of the API: only their SHA-256 is stored."""

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pynamodb.exceptions import PynamoDBException

from adapters import accounts, audited
from adapters.audited import audit_row
from adapters.refusals import ConflictError, ForbiddenError, Reason, UnknownError
from adapters.tables import TokenRecordRow, TokenRow
from adapters.transactions import Transaction
from engine.errors import RefusedError
from engine.ports import Clock

SUBJECT = "tokens"  # whose chain of the audit log tells of them
USE_NOTED_EVERY_MS = 600_000
MAX_DAYS = 3650
DAY_MS = 86_400_000

Shown = dict[str, Any]


class Role(StrEnum):
    """What a token's bearer may do; each role may also do what those above it may."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"

    def covers(self, needed: "Role") -> bool:
        """Whether its bearer may do what `needed` may."""
        order = list(Role)
        return order.index(self) >= order.index(needed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Whoever may call; `name` is what the audit log shows, `caller_id` what limits count by.

    `connections` is None for one who reaches all of them.
    """

    name: str
    role: Role
    caller_id: str
    connections: frozenset[str] | None = None
    expires_at_ms: int | None = None
    changes_per_minute: int | None = None

    def reaches(self, connection_ids: Iterable[str]) -> bool:
        """Whether it may see and touch all of these."""
        return self.connections is None or self.connections.issuperset(connection_ids)


class TokenOverError(RefusedError):
    """The token was known once: it has expired, or was revoked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewToken:
    """What a token is to be; the values were checked where they came in.

    Without `days` it does not expire, without `connections` it reaches all.
    """

    name: str
    role: Role
    days: int | None = None
    connections: tuple[str, ...] | None = None
    changes_per_minute: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """Issues, knows, shows and revokes tokens."""

    clock: Clock
    _noted: dict[str, int] = field(default_factory=dict)  # id -> when its use was last written

    def create(self, asked: NewToken, *, by: str) -> tuple[str, Shown]:
        """A new token, which nobody can show again, and its record.

        Raises
        ------
        UnknownError
            If it is to reach a connection that does not exist.
        """
        for connection_id in asked.connections or ():
            accounts.connection_row(connection_id)
        token = f"cts_{secrets.token_urlsafe(32)}"
        record = _record(asked, token_hash(token), by=by, now_ms=self.clock.now_ms())
        details: dict[str, Any] = {
            "id": record.token_id,
            "name": asked.name,
            "role": asked.role.value,
            "connections": list(asked.connections or ()),
        }
        now_ms = record.created_at_ms
        audit = audit_row(SUBJECT, "token.create", by=by, now_ms=now_ms, details=details)
        row = _row(record)

        def changes(transaction: Transaction) -> None:
            transaction.put("record", record, TokenRecordRow.token_id.does_not_exist())
            transaction.put("token", row, TokenRow.token_hash.does_not_exist())

        audited.commit(audit, changes)
        return token, shown(record)

    def all(self) -> list[Shown]:
        """Every token that was created through CTS, newest first; no secret is in it."""
        rows = TokenRecordRow.query(TokenRecordRow.KIND, consistent_read=True)
        return [shown(row) for row in sorted(rows, key=lambda row: -row.created_at_ms)]

    def revoke(self, token_id: str, *, by: str) -> Shown:
        """End a token at once.

        Raises
        ------
        UnknownError, ConflictError
            The latter if it is revoked already.
        """
        record = _record_of(token_id)
        now_ms = self.clock.now_ms()
        details = {"id": token_id, "name": record.name}
        audit = audit_row(SUBJECT, "token.revoke", by=by, now_ms=now_ms, details=details)
        row = TokenRow(record.token_hash)

        def changes(transaction: Transaction) -> None:
            now = TokenRecordRow.revoked_at_ms.set(now_ms)
            transaction.update(
                "record", record, [now], TokenRecordRow.revoked_at_ms.does_not_exist()
            )
            transaction.update("token", row, [TokenRow.revoked_at_ms.set(now_ms)])

        if record.revoked_at_ms:
            raise ConflictError(
                "the token cannot be revoked",
                Reason(code="revoked", message="it is revoked already"),
            )
        audited.commit(audit, changes)
        return shown(record, revoked_at_ms=now_ms)

    def caller(self, token: str) -> Caller | None:
        """The bearer of `token`, read strongly, so that a revoked one ends at once.

        None if nobody issued it.

        Raises
        ------
        TokenOverError
            If it has expired or was revoked.
        """
        hashed = token_hash(token)
        try:
            row = TokenRow.get(hashed, consistent_read=True)
        except TokenRow.DoesNotExist:
            return None
        now_ms = self.clock.now_ms()
        if row.revoked_at_ms:
            raise TokenOverError("this token was revoked")
        if row.expires_at_ms and row.expires_at_ms <= now_ms:
            raise TokenOverError("this token has expired")
        if row.token_id:
            self._note_use(row.token_id, now_ms)
        return _caller(row)

    def _note_use(self, token_id: str, now_ms: int) -> None:
        """Once in ten minutes and container: a write for each request would cost more than it."""
        if now_ms < self._noted.get(token_id, 0) + USE_NOTED_EVERY_MS:
            return
        self._noted[token_id] = now_ms
        row = TokenRecordRow(TokenRecordRow.KIND, token_id)
        exists = TokenRecordRow.token_id.exists()
        try:
            row.update([TokenRecordRow.last_used_ms.set(now_ms)], condition=exists)
        except PynamoDBException:
            return  # nothing depends on it; the next ten minutes try again


def issue_token(role: Role, *, now_ms: int) -> str:
    """Store a token without name or end and return it; it cannot be shown again."""
    token = f"cts_{secrets.token_urlsafe(32)}"
    TokenRow(token_hash(token), role=role.value, created_at_ms=now_ms).save()
    return token


def token_hash(token: str) -> str:
    """The key a token is stored under: the digest is looked up, so no comparison leaks time."""
    return hashlib.sha256(token.encode()).hexdigest()


def new_token(
    *, name: str, role: str, days: int | None = None, connections: tuple[str, ...] | None = None
) -> NewToken:
    """The same from words of a command line.

    Raises
    ------
    ForbiddenError, RefusedError
        Naming what is out of its range.
    """
    if role not in list(Role):
        raise RefusedError(f"role must be one of {', '.join(Role)}, was {role!r}")
    if not 0 < len(name.strip()) <= 60:
        raise RefusedError(f"name must have 1 to 60 characters, had {len(name.strip())}")
    if days is not None and not 0 < days <= MAX_DAYS:
        raise RefusedError(f"days must be 1 to {MAX_DAYS}, was {days}")
    if connections is not None and role == Role.ADMIN:
        raise ForbiddenError("an admin's token reaches everything: leave the connections out")
    return NewToken(name=name.strip(), role=Role(role), days=days, connections=connections)


def shown(record: TokenRecordRow, **instead: Any) -> Shown:
    """A token as administrators see it: neither its secret nor its hash is in it."""
    names = ("token_id", "name", "role", "connections", "created_at_ms", "created_by")
    more = ("expires_at_ms", "revoked_at_ms", "last_used_ms", "changes_per_minute")
    told = {name: getattr(record, name) for name in (*names, *more)} | instead
    return {"id": told.pop("token_id"), **told}


def _caller(row: TokenRow) -> Caller:
    token_id = row.token_id or row.token_hash[:8]
    return Caller(
        name=f"{row.name or row.role}-{token_id.removeprefix('t-')}",
        role=Role(row.role),
        caller_id=token_id,
        connections=None if row.connections is None else frozenset(row.connections),
        expires_at_ms=row.expires_at_ms,
        changes_per_minute=row.changes_per_minute,
    )


def _record_of(token_id: str) -> TokenRecordRow:
    try:
        return TokenRecordRow.get(TokenRecordRow.KIND, token_id, consistent_read=True)
    except TokenRecordRow.DoesNotExist as error:
        raise UnknownError(f"there is no token {token_id[:64]!r}") from error


def _record(asked: NewToken, hashed: str, *, by: str, now_ms: int) -> TokenRecordRow:
    return TokenRecordRow(
        TokenRecordRow.KIND,
        f"t-{secrets.token_hex(6)}",
        token_hash=hashed,
        name=asked.name,
        role=asked.role.value,
        connections=None if asked.connections is None else sorted(asked.connections),
        created_at_ms=now_ms,
        created_by=by,
        expires_at_ms=None if asked.days is None else now_ms + asked.days * DAY_MS,
        changes_per_minute=asked.changes_per_minute,
    )


def _row(record: TokenRecordRow) -> TokenRow:
    names = ("role", "created_at_ms", "token_id", "name", "connections", "expires_at_ms")
    values = {name: getattr(record, name) for name in (*names, "changes_per_minute")}
    return TokenRow(record.token_hash, **values)
