"""Refusals of what an operator asks, split by what the asker does next."""

from dataclasses import dataclass

from engine.errors import RefusedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One unmet condition: a stable code for programs, a sentence for people."""

    code: str
    message: str


class UnknownError(RefusedError):
    """Nothing of that name is stored."""


class ForbiddenError(RefusedError):
    """The caller, or this version, may not do that at all."""


class ConflictError(RefusedError):
    """Right in itself, wrong in the present state; `reasons` says what must change first."""

    def __init__(self, message: str, *reasons: Reason) -> None:
        super().__init__(message)
        self.reasons = reasons
