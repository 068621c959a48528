"""Least privilege: each function may do to each table what its own code does, read from the code.

A function reaches the modules that its handler imports, and those that they import. A table it may
use must be named in one of them, and what is rare (deleting, batches, checks without a write) must
be done there to just that table. So nothing can be granted that no code needs.
"""

import ast
import re
from functools import cache
from pathlib import Path

import pytest
from tests.grants import FOLDERS, FUNCTIONS, RESOURCES, TABLES, granted, statements

from adapters import tables

ROOT = Path(__file__).parents[1]
ADAPTERS = ROOT / "layers" / "adapters" / "adapters"
EVERYDAY = frozenset({"GetItem", "Query", "PutItem", "UpdateItem"})
APPEND_ONLY = "AuditLogsTable"
# An execution is named when it starts, so that no policy can name it.
UNNAMED_BEFORE = re.compile(r":execution:\$\{AWS::StackName\}-[\w-]+:\*$")


@cache
def reached(function: str) -> frozenset[Path]:
    """Our modules that a function imports, wherever in them, tables' own left out."""
    waiting = sorted((ROOT / "functions" / FOLDERS[function]).rglob("*.py"))
    seen: set[Path] = set()
    while waiting:
        file = waiting.pop()
        if file in seen:
            continue
        seen.add(file)
        waiting += [one for one in _imported(file) if one.parent != ADAPTERS / "tables"]
    return frozenset(seen)


@cache
def _imported(file: Path) -> tuple[Path, ...]:
    found: list[Path] = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        for name in names:
            if name.partition(".")[0] == "adapters":
                path = ADAPTERS.joinpath(*name.split(".")[1:])
                files = (path.with_suffix(".py"), path / "__init__.py")
                found += [one for one in files if one.is_file()]
    return tuple(found)


MODELS = {model.__name__: model.Meta.table_name.partition("-test-")[2] for model in tables.ALL}


@cache
def used(function: str) -> frozenset[str]:
    """Tables whose model a reached module names."""
    names = set()
    for file in reached(function):
        words = set(re.findall(r"\w+Row\b|LeaseItem", file.read_text(encoding="utf-8")))
        names |= {TABLES[MODELS[word]] for word in words if word in MODELS}
    return frozenset(names)


RARE = {
    "BatchWriteItem": r"(\w+)\.batch_write\(",
    "BatchGetItem": r"(\w+)\.batch_get\(",
    "ConditionCheckItem": r"\.check\([^,()]+, (\w+),",
}
DELETING = re.compile(r"(?:transaction|audited)\.delete\(")


@cache
def done(function: str) -> frozenset[tuple[str, str]]:
    """The rare things that reached modules do, and to which table."""
    found = set()
    for file in reached(function):
        text = file.read_text(encoding="utf-8")
        for action, pattern in RARE.items():
            found |= {
                (TABLES[MODELS[model]], action)
                for model in re.findall(pattern, text)
                if model in MODELS
            }
        if file.name in DELETERS:
            found |= {(table, "DeleteItem") for table in DELETERS[file.name]}
    return frozenset(found)


# Which rows the modules that delete anything delete; another one that begins to must be named.
# Powertools deletes what `remembered` does not keep.
DELETERS = {
    "connections.py": ("ExchangeConnectionsTable",),
    "commands.py": ("CommandsTable",),
    "facts.py": ("PositionsTable",),
    "cleaning.py": ("PositionsTable",),
    "alerts.py": ("AlertsTable",),
    "remembered.py": ("IdempotencyTable",),
}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_may_use_a_table_only_if_its_code_does(function: str) -> None:
    assert {table for table, _ in granted(function)} - used(function) == set()


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_may_delete_batch_and_check_only_what_its_code_does(function: str) -> None:
    rare = {one for one in granted(function) if one[1] not in EVERYDAY}

    assert rare - done(function) == set()


def test_every_module_that_deletes_rows_is_known() -> None:
    deleting = {
        file.name
        for file in ADAPTERS.rglob("*.py")
        if DELETING.search(file.read_text(encoding="utf-8"))
    }

    assert deleting - {"audited.py"} <= set(DELETERS)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_nothing_is_granted_with_a_star(function: str) -> None:
    for actions, given in statements(function):
        assert not [one for one in actions if "*" in one]
        for resource in given:
            assert "*" not in resource or UNNAMED_BEFORE.search(resource), resource


INDEX = re.compile(r"(\w+Table)\.Arn\}/index/(\w+)$")
OF_INDEX = re.compile(r"\b(\w+Row)\.(live|recent|closed)\b")


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_may_ask_an_index_only_if_its_code_does(function: str) -> None:
    every = [one for _, given in statements(function) for one in given if "/index/" in one]
    texts = [file.read_text(encoding="utf-8") for file in reached(function)]
    asked = {pair for text in texts for pair in OF_INDEX.findall(text)}

    found = [INDEX.search(one) for one in every]

    assert {(one[1], one[2]) for one in found if one} <= {
        (TABLES[MODELS[model]], index) for model, index in asked
    }
    assert all(found), every


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_function_has_policies_of_its_own_alone(function: str) -> None:
    properties = RESOURCES[function]["Properties"]

    assert "Role" not in properties
    assert all(isinstance(policy, dict) for policy in properties["Policies"])


@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_function_may_change_or_delete_a_line_of_the_audit_log(function: str) -> None:
    actions = {action for table, action in granted(function) if table == APPEND_ONLY}
    heads = {action for table, action in granted(function) if table == "AuditHeadsTable"}

    assert actions <= {"PutItem", "Query"}
    assert heads <= {"GetItem", "PutItem", "Query"}
    assert ("PutItem" in actions) == ("PutItem" in heads), "a line moves the head, both or none"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_tokens_are_read_and_issued_by_the_api_alone(function: str) -> None:
    actions = {action for table, action in granted(function) if table == "ApiTokensTable"}

    wanted = {"GetItem", "Query", "PutItem", "UpdateItem"} if function == "ApiFunction" else set()
    assert actions == wanted


def test_no_table_is_read_as_a_whole_by_anybody() -> None:
    assert "dynamodb:Scan" not in str([statements(function) for function in FUNCTIONS])
