"""What may be switched and changed on a connection, and what follows from it."""

from collections.abc import Mapping
from typing import Any

from adapters.refusals import ConflictError, ForbiddenError, Reason
from adapters.tables import ConnectionRow
from engine.errors import RefusedError

_PLACEHOLDERS = ("placeholder", "your_api", "your-api", "yourapi", "changeme", "change_me")
# A change of these means another account, or another way to hold positions on it.
_ACCOUNT = frozenset({"credentials", "is_testnet", "is_paper"})


def refuse_placeholders(credentials: Mapping[str, str]) -> None:
    """Raise RefusedError for a key that was never filled in; the value is not repeated."""
    for name, value in credentials.items():
        lowered = value.lower()
        if len(set(value)) == 1 or any(word in lowered for word in _PLACEHOLDERS):
            raise RefusedError(f"{name} is a placeholder; enter the venue's own")


def forgets_the_test(row: ConnectionRow, values: Mapping[str, Any]) -> dict[str, Any]:
    """What must be reset because `values` lead to another account: untested, inactive, no trade."""
    differs = {name for name in _ACCOUNT & set(values) if values[name] != getattr(row, name)}
    if not differs:
        return {}
    return {
        "last_test_at": None,
        "last_test_result": None,
        "last_test_message": None,
        "last_test_balance": None,
        "is_active": False,
        "is_live_trade": False,
        "is_preset_trade": False,
    }


def checked_flags(
    row: ConnectionRow, flags: Mapping[str, bool], *, running: bool
) -> dict[str, bool]:
    """All four flags as they will be.

    Trading needs an enabled, active and successfully tested connection, and in this version one
    on a test net or the paper exchange. Disabling or deactivating ends it.

    Raises
    ------
    ForbiddenError, ConflictError
    """
    names = ("is_enabled", "is_active", "is_live_trade", "is_preset_trade")
    made = {name: flags.get(name, getattr(row, name)) for name in names}
    asked = [name for name in ("is_live_trade", "is_preset_trade") if flags.get(name)]
    if asked:
        _refuse_trading(row, made, asked=asked, running=running)
    if not (made["is_enabled"] and made["is_active"]):
        made |= {"is_live_trade": False, "is_preset_trade": False}
    return made


def _refuse_trading(
    row: ConnectionRow, made: Mapping[str, bool], *, asked: list[str], running: bool
) -> None:
    if not (row.is_testnet or row.is_paper):
        raise ForbiddenError(
            f"{' and '.join(asked)} is allowed on testnet and paper connections only"
        )
    tested = row.last_test_result == "success"
    new = any(not getattr(row, name) for name in asked)
    checks = (
        (made["is_enabled"], "not_enabled", "the connection is not enabled"),
        (tested, "not_tested", "the last connection test did not succeed; test it"),
        (made["is_active"], "not_active", "the connection is not active"),
        (
            not (running and new),
            "engine_running",
            "trading is switched on while the engine is "
            "stopped, because the venue is prepared at its start; stop it first",
        ),
    )
    reasons = [Reason(code=code, message=text) for holds, code, text in checks if not holds]
    if reasons:
        raise ConflictError(f"{' and '.join(asked)} cannot be switched on", *reasons)
