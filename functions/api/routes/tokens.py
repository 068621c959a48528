"""Tokens: who may call."""

from chalice.app import Blueprint

from adapters.tokens import NewToken, Role
from models.access import MeAnswer, NewTokenAsked, TokenAnswer, TokenIssued, TokensAnswer
from operation import Reach, bearer_of, operation
from services import services

tokens = Blueprint(__name__)
ALL = "/api/tokens"


@operation(tokens, ("GET",), ALL, answer=TokensAnswer, role=Role.ADMIN)
def list_tokens(*, caller: str) -> TokensAnswer:
    """List all tokens, revoked ones too; no secret is shown."""
    found = services().tokens.all()
    return TokensAnswer.model_validate({"count": len(found), "tokens": found})


@operation(
    tokens,
    ("POST",),
    ALL,
    body=NewTokenAsked,
    answer=TokenIssued,
    status=201,
    failures=(404,),
    role=Role.ADMIN,
    once=("token",),
)
def create_token(*, body: NewTokenAsked, caller: str) -> TokenIssued:
    """Issue a token; this answer alone shows it."""
    asked = NewToken(
        name=body.name,
        role=body.role,
        days=body.days,
        connections=None if body.connections is None else tuple(body.connections),
        changes_per_minute=body.changes_per_minute,
    )
    token, record = services().tokens.create(asked, by=caller)
    message = f"keep it: the token of {body.name} is not shown again"
    return TokenIssued.model_validate({"message": message, "token": token, "record": record})


@operation(
    tokens,
    ("DELETE",),
    f"{ALL}/{{token_id}}",
    answer=TokenAnswer,
    failures=(404, 409),
    role=Role.ADMIN,
)
def revoke_token(token_id: str, *, caller: str) -> TokenAnswer:
    """Revoke a token at once; its record stays."""
    record = services().tokens.revoke(token_id, by=caller)
    return TokenAnswer.model_validate({"message": "the token is revoked", "record": record})


@operation(tokens, ("GET",), "/api/auth/me", answer=MeAnswer, reach=Reach.ANY)
def who_am_i(*, caller: str) -> MeAnswer:
    """Tell who asks, what they may do, and until when."""
    bearer = bearer_of(tokens.current_request)
    assert bearer is not None, "the guard lets nobody else in"
    reached = bearer.connections
    return MeAnswer(
        name=bearer.name,
        role=bearer.role,
        connections=None if reached is None else sorted(reached),
        expires_at_ms=bearer.expires_at_ms,
    )
