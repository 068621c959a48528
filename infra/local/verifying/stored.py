"""Items about what the twin has stored: read from its tables, and from the exchange's own books.

Import it only after `at_twin`: the tables read their names when they are imported.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import httpx
from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from adapters.progression import loop_key
from adapters.stored_settings import SYSTEM, settings_of
from adapters.tables import (
    ALL,
    CONNECTION_KIND,
    AuditRow,
    ConnectionRow,
    EngineStateRow,
    ProgressionRow,
    Row,
    SettingsRow,
)
from engine.errors import CtsError
from engine.settings import schema
from engine.values import Loop
from local import gather
from local.deployment import UnreachableError
from local.operator import PAPER_ACCOUNTS
from local.places import Places
from local.report import Books, drift, summed
from local.verifying.items import Finding, Visit

AGREES_WITHIN = 30
"""Looks at both sides' books, half a second apart, before a difference is believed."""
STORE_ERRORS = (PynamoDBException, BotoCoreError, ClientError, CtsError)


def tables(visit: Visit) -> Finding:
    """Every table exists, and those an engine cannot do without hold rows."""
    missing = [model.Meta.table_name for model in ALL if not _exists(model)]
    if missing:
        return Finding(holds=False, seen=f"missing: {', '.join(missing)}")
    empty = [name for name, is_filled in _filled(visit).items() if not is_filled]
    if empty:
        return Finding(holds=False, seen=f"all {len(ALL)} exist; empty: {', '.join(empty)}")
    return Finding(holds=True, seen=f"all {len(ALL)} exist and are populated")


def _exists(model: type[Row]) -> bool:
    try:
        return bool(model.exists())
    except STORE_ERRORS as error:
        raise UnreachableError(f"the tables do not answer: {type(error).__name__}") from error


def _filled(visit: Visit) -> dict[str, bool]:
    """By one key condition each; the connection's own rows are those of any connection."""
    ids = [str(one["id"]) for one in visit.connections]
    try:
        return {
            "exchange_connections": any(ConnectionRow.query(CONNECTION_KIND, limit=1)),
            "settings": any(any(SettingsRow.query(one, limit=1)) for one in (SYSTEM, *ids)),
            "trade_engine_state": any(EngineStateRow.batch_get(ids)),
            "trade_progression": any(
                any(ProgressionRow.query(loop_key(one, Loop.TRADE), limit=1)) for one in ids
            ),
            "audit_logs": any(any(AuditRow.query(one, limit=1)) for one in ids),
        }
    except STORE_ERRORS as error:
        raise UnreachableError(f"the tables do not answer: {type(error).__name__}") from error


def shapes(visit: Visit) -> Finding:
    """The deployed tables have the keys and indexes of this version's models."""
    try:
        wrong = [
            model.Meta.table_name
            for model in ALL
            if _shape(model.describe_table()) != _wanted(model)
        ]
    except STORE_ERRORS as error:
        raise UnreachableError(f"the tables do not answer: {type(error).__name__}") from error
    if wrong:
        return Finding(holds=False, seen=f"other keys or indexes: {', '.join(wrong)}")
    return Finding(holds=True, seen=f"keys and indexes of all {len(ALL)} are those of the models")


def _shape(deployed: Mapping[str, Any]) -> dict[str, Any]:
    types = {one["AttributeName"]: one["AttributeType"] for one in deployed["AttributeDefinitions"]}
    indexes = deployed.get("LocalSecondaryIndexes") or []
    return {
        "types": types,
        "keys": _keys(deployed["KeySchema"]),
        "indexes": {one["IndexName"]: _keys(one["KeySchema"]) for one in indexes},
    }


def _wanted(model: type[Row]) -> dict[str, Any]:
    wanted = model._get_schema()
    types = {one["AttributeName"]: one["AttributeType"] for one in wanted["attribute_definitions"]}
    return {
        "types": types,
        "keys": _keys(wanted["key_schema"]),
        "indexes": {
            str(one["index_name"]): _keys(one["key_schema"])
            for one in wanted["local_secondary_indexes"]
        },
    }


def _keys(schema_of: Any) -> dict[str, str]:
    return {str(key["KeyType"]): str(key["AttributeName"]) for key in schema_of}


def settings(visit: Visit) -> Finding:
    """Every stored value is one this version knows, and running engines use the stored version."""
    try:
        stored = {
            one["connectionId"]: settings_of(str(one["connectionId"])) for one in visit.engines
        }
    except CtsError as error:
        return Finding(holds=False, seen=str(error))
    late = [
        str(one["name"])
        for one in visit.running()
        if one["settings_version"] != stored[one["connectionId"]].version
    ]
    if late:
        return Finding(holds=False, seen=f"not with the stored version: {', '.join(late)}")
    seen = f"all {len(schema())} keys have a value within its range"
    return Finding(holds=True, seen=seen)


def tracked(visit: Visit) -> Finding:
    """Orders, fills, quantities and stops are the same in our books and in the exchange's."""
    places, accounts = visit.api.places, _paper_accounts(visit)
    if places is None or not accounts:
        return Finding(holds=False, seen="there is no paper connection whose books can be asked")
    differences = [
        line
        for books, ids in accounts.items()
        for line in _differences(places, books, ids, pause=visit.pause)
    ]
    if differences:
        return Finding(holds=False, seen=f"{len(differences)} differences: {differences[0]}")
    return Finding(holds=True, seen=f"drift 0 on the exchange's books of {', '.join(accounts)}")


def _paper_accounts(visit: Visit) -> dict[str, list[str]]:
    """Connections by the exchange's books they trade on: several may share an account."""
    named = {(one.exchange, one.api_type): one.books for one in PAPER_ACCOUNTS.values()}
    found: dict[str, list[str]] = {}
    for one in visit.connections:
        if one["is_paper"] and (books := named.get((one["exchange"], one["api_type"]))):
            found.setdefault(books, []).append(str(one["id"]))
    return found


def _differences(
    places: Places, books: str, ids: Sequence[str], *, pause: Callable[[float], None]
) -> list[str]:
    """Of both books, read while nothing changed in the exchange's; what is on its way settles."""
    found: list[str] = []
    for _ in range(AGREES_WITHIN):
        before = _venue(places, books)
        ours = _together([gather.our_books(one) for one in ids])
        after = _venue(places, books)
        if before == after:
            found = drift(ours, gather.venue_books(after))
            if not found:
                return []
        pause(0.5)
    return found or ["the exchange's books never stood still"]


def _together(books: Sequence[Books]) -> Books:
    """What connections on one account have in sum."""
    return Books(
        orders={name: state for one in books for name, state in one.orders.items()},
        fills={name: amount for one in books for name, amount in one.fills.items()},
        quantities=summed(pair for one in books for pair in one.quantities.items()),
        stops=summed(pair for one in books for pair in one.stops.items()),
    )


def _venue(places: Places, books: str) -> dict[str, Any]:
    """The exchange's books of one venue, without what moves with the price."""
    try:
        answer = httpx.get(
            f"{places.control_url}/books", params={"venue": books}, timeout=10, trust_env=False
        )
        answer.raise_for_status()
    except httpx.HTTPError as error:
        raise UnreachableError(f"the paper exchange does not answer: {error!r}") from error
    told: dict[str, Any] = answer.json()
    return {name: told[name] for name in ("open_orders", "open_algo_orders", "positions", "trades")}
