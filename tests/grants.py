"""What the template lets each function do to each table, and whether calls keep to it.

Neither moto nor MiniStack ask whether a call is allowed: what a function is not granted works on
one machine and is refused on AWS.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import cache, partial
from inspect import iscoroutinefunction
from typing import Any, cast

from tests.documents import resources

from adapters import dynamo, environment

FOLDERS = {
    "ApiFunction": "api",
    "TradeTickFunction": "trade_tick",
    "PositionTickFunction": "position_tick",
    "PrehistoryFunction": "prehistory",
    "EngineControlFunction": "engine_control",
    "SupervisorFunction": "supervisor",
}
Calls = frozenset[tuple[str, str]]
_inside: list[set[tuple[str, str]]] = []

RESOURCES = resources()
FUNCTIONS = sorted(
    name for name, one in RESOURCES.items() if one["Type"] == "AWS::Serverless::Function"
)
TABLES = {
    one["Properties"]["TableName"].removeprefix("${AWS::StackName}-"): name
    for name, one in RESOURCES.items()
    if one["Type"] == "AWS::DynamoDB::Table"
}


def statements(function: str) -> list[tuple[list[str], list[str]]]:
    """Actions and resources of each statement."""
    found = []
    for policy in RESOURCES[function]["Properties"].get("Policies", []):
        for one in policy["Statement"]:
            actions, resources = one["Action"], one["Resource"]
            found.append(
                (
                    actions if isinstance(actions, list) else [actions],
                    resources if isinstance(resources, list) else [resources],
                )
            )
    return found


def granted(function: str) -> set[tuple[str, str]]:
    """Every table by its logical name with every action on it, indexes with their table."""
    return {
        (_table_of(resource), action.removeprefix("dynamodb:"))
        for actions, resources in statements(function)
        for action in actions
        for resource in resources
        if action.startswith("dynamodb:")
    }


def _table_of(resource: str) -> str:
    found = re.search(r"(\w+Table)\.Arn", resource)
    assert found, resource
    return found.group(1)


@contextmanager
def keeping_to(*functions: str, besides: Calls = frozenset()) -> Iterator[None]:
    """Fail if DynamoDB is asked meanwhile for what none of these functions is granted.

    What is asked while this is used once more inside is held against that alone.
    """
    refused: set[tuple[str, str]] = set()
    _inside.append(refused)

    def note(params: Mapping[str, Any], model: Any, **_: Any) -> None:
        if _inside[-1] is not refused:
            return
        refused.update(_calls(model.name, params).difference(besides, *map(_granted, functions)))

    events = dynamo.connection().client.meta.events
    events.register("provide-client-params.dynamodb", note)
    try:
        yield
    finally:
        events.unregister("provide-client-params.dynamodb", note)
        _inside.pop()
    assert not refused, f"{functions} are not granted {sorted(refused)}"


def within[Part](part: Part, *functions: str, besides: Calls = frozenset()) -> Part:
    """The part, each of whose methods is held against what these functions are granted."""
    return cast(Part, _Within(part, partial(keeping_to, *functions, besides=besides)))


class _Within:
    def __init__(self, part: object, keeping: Callable[[], AbstractContextManager[None]]) -> None:
        self._part = part
        self._keeping = keeping

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._part, name)
        if not callable(value):
            return value

        def held(*given: Any, **named: Any) -> Any:
            with self._keeping():
                return value(*given, **named)

        async def held_until_done(*given: Any, **named: Any) -> Any:
            with self._keeping():
                return await value(*given, **named)

        return held_until_done if iscoroutinefunction(value) else held


@cache
def _granted(function: str) -> Calls:
    """With those on indexes, which are resources of their own: `Table/index/name`."""
    on_indexes = {
        (f"{_table_of(one)}/index/{one.rpartition('/')[2]}", action.removeprefix("dynamodb:"))
        for actions, resources in statements(function)
        for action in actions
        for one in resources
        if "/index/" in one
    }
    return frozenset(granted(function) | on_indexes)


def _calls(name: str, params: Mapping[str, Any]) -> set[tuple[str, str]]:
    """Each table by its logical name with what is done to it, as IAM names that."""
    if name == "TransactWriteItems":
        named = {"ConditionCheck": "ConditionCheckItem"}
        return {
            (_logical(one["TableName"]), named.get(what, f"{what}Item"))
            for each in params["TransactItems"]
            for what, one in each.items()
        }
    if "RequestItems" in params:
        return {(_logical(table), name) for table in params["RequestItems"]}
    table, index = _logical(params["TableName"]), params.get("IndexName")
    return {(f"{table}/index/{index}" if index else table, name)}


def _logical(table: str) -> str:
    return TABLES[table.removeprefix(environment.table(""))]
