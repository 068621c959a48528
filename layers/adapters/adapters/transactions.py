"""Writes of several rows at once, whose refusals are known by name."""

import random
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from typing import Any
from uuid import uuid4

from botocore.exceptions import ConnectionError as SdkConnectionError
from botocore.exceptions import HTTPClientError
from pynamodb.exceptions import PynamoDBException, TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.models import Model

from adapters import dynamo
from engine.errors import StoreBusyError

ATTEMPTS = 4
LOST_ATTEMPTS = 2  # of calls without an answer: each may have waited for its time-out
MAX_ITEMS = 100  # of one transaction
_PAUSE_S = 0.02
_CONDITION_FAILED = "ConditionalCheckFailed"
_BUSY_CODES = frozenset(
    {
        "InternalServerError",
        "ItemCollectionSizeLimitExceeded",
        "ProvisionedThroughputExceeded",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "ThrottlingError",
        "ThrottlingException",
        "TransactionConflict",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)


class WriteRefusedError(Exception):
    """A condition of a transaction did not hold; nothing was written. `names` says which."""

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__(f"conditions not met: {', '.join(names)}")
        self.names = names


class Transaction:
    """All of its writes or none. Repeating an unclear one cannot apply it twice.

    Each item has a name, by which a failed condition is reported.
    """

    def __init__(self) -> None:
        self._items: dict[str, list[tuple[str, dict[str, Any]]]] = {
            "check": [],
            "delete": [],
            "put": [],
            "update": [],
        }
        self._token = uuid4().hex  # the table applies one token once

    def __len__(self) -> int:
        return sum(map(len, self._items.values()))

    def check(
        self,
        name: str,
        model: type[Model],
        key: str,
        condition: Condition,
        *,
        range_key: str | None = None,
    ) -> None:
        """Require `condition` of a row without changing it."""
        arguments = model.get_operation_kwargs_from_class(
            key, range_key=range_key, condition=condition
        )
        self._items["check"].append((name, arguments))

    def put(self, name: str, row: Model, condition: Condition | None = None) -> None:
        arguments = row.get_save_kwargs_from_instance(condition=condition)
        self._items["put"].append((name, arguments))

    def update(
        self, name: str, row: Model, actions: Sequence[Action], condition: Condition | None = None
    ) -> None:
        arguments = row.get_update_kwargs_from_instance(actions=list(actions), condition=condition)
        self._items["update"].append((name, arguments))

    def delete(self, name: str, row: Model, condition: Condition | None = None) -> None:
        arguments = row.get_delete_kwargs_from_instance(condition=condition)
        self._items["delete"].append((name, arguments))

    def commit(self) -> None:
        """Write everything.

        Raises
        ------
        WriteRefusedError
            If a condition did not hold.
        StoreBusyError
            If the store stayed busy, or its answer unclear, through all attempts.
        """
        for attempt in count(1):
            try:
                return self._send()
            except TransactWriteError as e:
                self._judge(e)
                pause(attempt, "transaction", e)

    def _send(self) -> None:
        kinds = self._items
        dynamo.connection().transact_write_items(
            [arguments for _, arguments in kinds["check"]],
            [arguments for _, arguments in kinds["delete"]],
            [arguments for _, arguments in kinds["put"]],
            [arguments for _, arguments in kinds["update"]],
            client_request_token=self._token,
        )

    def _judge(self, error: TransactWriteError) -> None:
        """Raise unless sending it again makes sense."""
        reasons = error.cancellation_reasons
        names = [name for items in self._items.values() for name, _ in items]
        refused = tuple(
            name
            for name, reason in zip(names, reasons, strict=False)
            if reason is not None and reason.code == _CONDITION_FAILED
        )
        if refused:
            raise WriteRefusedError(refused) from error
        codes = {reason.code for reason in reasons if reason is not None}
        if not (is_busy(error) or (codes and codes <= _BUSY_CODES)):
            raise error


def response_code(error: PynamoDBException) -> str | None:
    """DynamoDB's own code, or None if it never answered.

    PynamoDB's `cause_response_code` fails for a time-out, whose `response` is None.
    """
    response = getattr(error.cause, "response", None) or {}
    code: str | None = response.get("Error", {}).get("Code")
    return code


def is_busy(error: PynamoDBException) -> bool:
    """Whether the same call may succeed later: throttled, in conflict, or the answer lost."""
    code = response_code(error)
    if code is not None:
        return code in _BUSY_CODES
    return isinstance(error.cause, (SdkConnectionError, HTTPClientError))


def is_refused(error: PynamoDBException) -> bool:
    """Whether the condition of a single write did not hold."""
    return response_code(error) == "ConditionalCheckFailedException"


def busy(what: str, error: PynamoDBException) -> StoreBusyError:
    """The error that tells a caller to come again, without the content of the call."""
    cause = response_code(error) or type(error.cause).__name__
    return StoreBusyError(f"{what}: the store answered {cause}")


def pause(attempt: int, what: str, error: PynamoDBException) -> None:
    """Let whoever was in the way finish, longer after each attempt (counted from 1).

    Raises
    ------
    StoreBusyError
        After the last attempt.
    """
    limit = ATTEMPTS if response_code(error) else LOST_ATTEMPTS
    if attempt >= limit:
        raise busy(what, error) from error
    time.sleep(_PAUSE_S * 2 ** (attempt - 1) * random.uniform(0.5, 1.0))


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Turn a read that may succeed later into StoreBusyError; other errors go up as they are."""
    try:
        yield
    except PynamoDBException as e:
        if is_busy(e):
            raise busy(what, e) from e
        raise
