"""Changes under an Idempotency-Key are done once: a repetition is told what the first one was told.

As the IETF's draft-ietf-httpapi-idempotency-key-header has it: the key belongs to the caller; with
another request it is refused (422), and so is a repetition while the first is still at work (409).
Successes are remembered for a day. A refusal or a failure is not: nothing was done, so that the
same key may be tried again. Requests are kept as digests, answers without what is told once.
"""

import hashlib
import json
import re
from collections.abc import Callable
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyAlreadyInProgressError,
    IdempotencyInconsistentStateError,
    IdempotencyPersistenceLayerError,
    IdempotencyValidationError,
)
from chalice.app import Request, Response

from adapters.aws import client
from adapters.refusals import ConflictError, Reason
from adapters.tables import IdempotencyRow
from answers import KeyReusedError, success
from engine.errors import RefusedError, StoreBusyError
from guard import ALWAYS_DONE
from operation import Contract, bearer_of

HEADER = "idempotency-key"
KEPT_S = 86_400
_KEY = re.compile(r'"?[\x21\x23-\x7e]{1,255}"?')
_AT_WORK = Reason(
    code="in_progress", message="the first request of this Idempotency-Key is still at work"
)

logger = Logger(service="api")


class _NotDoneError(Exception):
    """Nothing was done: the answer is not to be remembered."""


def done_once(request: Request, contract: Contract, answer: Callable[[], Response]) -> Response:
    """What `answer` answers, or was answered to the caller under this key already.

    Raises
    ------
    RefusedError, KeyReusedError, ConflictError, StoreBusyError
    """
    key = request.headers.get(HEADER)
    if key is None or request.method == "GET":
        return answer()
    if not _KEY.fullmatch(key):
        raise RefusedError("Idempotency-Key must be 1 to 255 visible characters")
    if request.context.get("resourcePath") in ALWAYS_DONE:
        return answer()  # done twice it is done once, and no memory may keep it from being done
    made: list[Response] = []

    def done(*, asked: dict[str, str]) -> dict[str, Any]:
        made.append(answer())
        return _kept(made[0], contract)

    try:
        kept = _remembering(done, request)(asked=_asked(request, key.strip('"')))
    except _NotDoneError:
        return made[0]
    except IdempotencyPersistenceLayerError as error:
        if not made:
            raise StoreBusyError("idempotency: the store did not answer") from error
        logger.warning("not remembered", exc_info=error)
        return made[0]
    return made[0] if made else _told_again(kept)


def _remembering(
    done: Callable[..., dict[str, Any]], request: Request
) -> Callable[..., dict[str, Any]]:
    """`done` behind Powertools, with its refusals in our words."""
    config = IdempotencyConfig(
        event_key_jmespath="key",
        payload_validation_jmespath="payload",
        expires_after_seconds=KEPT_S,
        hash_function="sha256",
        raise_on_no_idempotency_key=True,
        lambda_context=request.lambda_context,
    )
    remembering = idempotent_function(
        done,
        data_keyword_argument="asked",
        persistence_store=_store(),
        config=config,
        key_prefix="api",
    )

    def called(*, asked: dict[str, str]) -> dict[str, Any]:
        try:
            found: dict[str, Any] = remembering(asked=asked)
        except IdempotencyValidationError:
            raise KeyReusedError("this Idempotency-Key stands for another request") from None
        except (IdempotencyAlreadyInProgressError, IdempotencyInconsistentStateError):
            raise ConflictError("the request is at work", _AT_WORK) from None
        return found

    return called


def _asked(request: Request, key: str) -> dict[str, str]:
    """Who asks under which key, and what: the body as a digest, for it may hold credentials."""
    bearer = bearer_of(request)
    caller = bearer.caller_id if bearer is not None else ""
    asked = json.dumps([request.uri_params, dict(request.query_params or {})], sort_keys=True)
    parts = (request.method, request.path, asked, request.raw_body or b"")
    digest = hashlib.sha256()
    for part in parts:
        digest.update(hashlib.sha256(part if isinstance(part, bytes) else part.encode()).digest())
    return {"key": f"{caller}|{key}", "payload": digest.hexdigest()}


def _kept(response: Response, contract: Contract) -> dict[str, Any]:
    """What is stored of an answer."""
    if not 200 <= response.status_code < 300:
        raise _NotDoneError
    body = {**response.body, **dict.fromkeys(contract.once)}
    return {"status": response.status_code, "body": body}


def _told_again(kept: dict[str, Any]) -> Response:
    response = success(kept["body"], int(kept["status"]))
    response.headers["Idempotency-Replayed"] = "true"
    return response


@cache
def _store() -> DynamoDBPersistenceLayer:
    return DynamoDBPersistenceLayer(
        table_name=IdempotencyRow.Meta.table_name,
        key_attr="request",
        status_attr="status",
        data_attr="data",
        validation_key_attr="validation",
        expiry_attr="expires_at",
        in_progress_expiry_attr="in_progress_expires_at_ms",
        boto3_client=client("dynamodb"),
    )
