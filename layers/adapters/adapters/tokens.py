"""Bearer tokens of the API: only their SHA-256 is stored."""

import hashlib
import secrets
from dataclasses import dataclass
from enum import StrEnum

from adapters.tables import TokenRow


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
    """Whoever sent a known token; `name` is what the audit log shows."""

    name: str
    role: Role


def issue_token(role: Role, *, now_ms: int) -> str:
    """Store a new token and return it; it cannot be shown again."""
    token = f"cts_{secrets.token_urlsafe(32)}"
    TokenRow(token_hash(token), role=role.value, created_at_ms=now_ms).save()
    return token


def caller_of_token(token: str) -> Caller | None:
    """The bearer of `token`, or None if nobody issued it."""
    hashed = token_hash(token)
    try:
        row = TokenRow.get(hashed)
    except TokenRow.DoesNotExist:
        return None
    return Caller(name=f"{row.role}-{hashed[:8]}", role=Role(row.role))


def token_hash(token: str) -> str:
    """The key a token is stored under: the digest is looked up, so no comparison leaks time."""
    return hashlib.sha256(token.encode()).hexdigest()
