"""What became of an operator's request: for one connection, or for each of all of them."""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from adapters import accounts
from adapters.refusals import ConflictError
from adapters.tables import ConnectionRow
from engine.errors import CtsError

Outcome = dict[str, Any]
Act = Callable[[ConnectionRow], Outcome]
UNREACHABLE = (PynamoDBException, ClientError, BotoCoreError)
"""What a store or a machine that does not answer raises; its text names tables and keys."""


def of_one_or_all(connection_id: str | None, act: Act) -> Outcome:
    """The outcome of `act` for one connection, or, where none is named, for each for itself.

    Raises
    ------
    UnknownError, ConflictError
        For one connection; of all, each is told what was in its way.
    """
    if connection_id is not None:
        return of_one(act(accounts.connection_row(connection_id)))
    results = [_answered(row, act) for row in accounts.connection_rows()]
    done = sum(1 for result in results if result["success"])
    return {
        "success": done > 0 or not results,
        "message": f"{done} of {len(results)} connections",
        "results": results,
    }


def of_one(outcome: Outcome) -> Outcome:
    """The answer for one connection, which repeats its outcome in the upper fields."""
    upper = {name: value for name, value in outcome.items() if name != "run_id"}
    return {**upper, "results": [outcome]}


def told(row: ConnectionRow, message: str, **more: Any) -> Outcome:
    """What was done for a connection."""
    return {
        "success": True,
        "connection_id": row.connection_id,
        "connection_name": row.name,
        "message": f"{row.name}: {message}",
        **more,
    }


def _answered(row: ConnectionRow, act: Act) -> Outcome:
    """The outcome for one of many: its trouble is told and does not stop the others."""
    try:
        return act(row)
    except ConflictError as error:
        reasons = [{"code": one.code, "message": one.message} for one in error.reasons]
        return told(row, str(error)) | {"success": False, "reasons": reasons}
    except CtsError as error:
        return told(row, str(error)) | {"success": False}
    except UNREACHABLE as error:
        return told(row, f"no answer: {type(error).__name__}") | {"success": False}
