"""The arrows of the house: functions, local -> adapters -> engine; console -> HTTPS API."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ENGINE = ROOT / "layers" / "engine" / "engine"
ADAPTERS = ROOT / "layers" / "adapters" / "adapters"
LOCAL = ROOT / "infra" / "local"
CONSOLE = ROOT / "notebooks" / "console"
FUNCTIONS = ROOT / "functions"

OURS = frozenset({"engine", "adapters", "local", "console"})
MAY_IMPORT = {
    ENGINE: frozenset({"engine"}),
    ADAPTERS: frozenset({"adapters", "engine"}),
    LOCAL: frozenset({"local", "adapters", "engine"}),
    CONSOLE: frozenset({"console"}),
    FUNCTIONS: frozenset({"adapters", "engine"}),
}
# Downward is the way data flows: a module imports only modules above it.
ENGINE_ORDER = (
    *("errors", "values", "candles", "packing", "market", "setting", "setting_modes"),
    *("tabs", "settings"),
    *("ledger", "risk_record", "events", "records", "together", "ports"),
    *("ticks", "indicators", "indications", "pyramid", "descent", "trails", "exits"),
    *("promotion", "statistics", "presets", "exit_grid", "spaces", "sets", "mirroring"),
    *("history", "bookkeeping", "standing"),
    *("ladder", "pseudo", "strategies", "trade_plan", "trade_state", "course", "trade", "books"),
    *("preset_pool", "preset_evaluation"),
    *("levels", "shares", "risk", "exit_change", "sizing", "orders", "listing", "reconcile"),
    *("desk", "health", "performance", "analytics", "equity"),
    "cycles",
)
# They reach the world, the clock or the environment, which the engine is told instead.
WORLDLY = frozenset(
    {"os", "socket", "subprocess", "http", "urllib", "threading", "multiprocessing", "tempfile"}
)
CLOCKS = frozenset({"time", "datetime", "random", "secrets", "uuid"})


def python_files(folder: Path) -> list[Path]:
    return sorted(f for f in folder.rglob("*.py") if "__pycache__" not in f.parts)


def imports(file: Path) -> Iterator[str]:
    """Every module a file imports, wherever in it, with `from x import y` as x."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def root_of(module: str) -> str:
    return module.partition(".")[0]


@pytest.mark.parametrize("folder", MAY_IMPORT, ids=lambda folder: folder.name)
def test_a_package_imports_only_what_lies_below_it(folder: Path) -> None:
    wrong = [
        f"{file.relative_to(ROOT)} imports {module}"
        for file in python_files(folder)
        for module in imports(file)
        if root_of(module) in OURS - MAY_IMPORT[folder]
    ]

    assert not wrong


def test_the_engine_uses_numpy_and_the_standard_library_alone() -> None:
    allowed = sys.stdlib_module_names | {"numpy", "engine"}

    wrong = [
        f"{file.name} imports {module}"
        for file in python_files(ENGINE)
        for module in imports(file)
        if root_of(module) not in allowed
    ]

    assert not wrong


def test_the_engine_reads_no_clock_no_chance_and_no_environment() -> None:
    wrong = [
        f"{file.relative_to(ENGINE)} imports {module}"
        for file in python_files(ENGINE)
        for module in imports(file)
        if root_of(module) in WORLDLY | CLOCKS
    ]

    assert not wrong


def part_of(file: Path) -> str:
    """The part of the engine a file belongs to: its top folder, or its own name."""
    first = file.relative_to(ENGINE).parts[0]
    return first.removesuffix(".py")


def test_inside_the_engine_a_module_imports_only_modules_above_it() -> None:
    wrong = []
    for file in (f for f in python_files(ENGINE) if f.parent != ENGINE or f.stem != "__init__"):
        here = part_of(file)
        for module in imports(file):
            above = module.split(".")[1] if module.startswith("engine.") else here
            if rank(above) > rank(here):
                wrong.append(f"{file.relative_to(ENGINE)} imports {module}")

    assert not wrong


def rank(part: str) -> int:
    assert part in ENGINE_ORDER, f"say in ENGINE_ORDER where engine.{part} belongs"
    return ENGINE_ORDER.index(part)


def test_the_console_reaches_the_engine_through_the_api_alone() -> None:
    forbidden = {"boto3", "botocore", "pynamodb", "ccxt"}

    wrong = [
        f"{file.name} imports {module}"
        for file in python_files(CONSOLE)
        for module in imports(file)
        if root_of(module) in forbidden
    ]

    assert not wrong


def test_no_tick_function_brings_pandas() -> None:
    served = (*python_files(ENGINE), *python_files(ADAPTERS), *python_files(FUNCTIONS))

    wrong = [f.relative_to(ROOT) for f in served if "pandas" in map(root_of, imports(f))]

    assert not wrong
