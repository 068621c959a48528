"""The console, the stand-in it is tested with and the real API speak the same language."""

import sys
from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import Any

import pytest
from pydantic import BaseModel
from tests.console_api import TOKEN
from tests.documents import ROOT, described_paths
from tests.tools.console.screens import Clock, an_api

from console import models
from console.client import ROUTES

ANSWERS: dict[str, tuple[str, type[BaseModel]]] = {
    "snapshot": ("SnapshotAnswer", models.Snapshot),
    "start": ("EngineAnswer", models.Outcome),
    "pause": ("EngineAnswer", models.Outcome),
    "resume": ("EngineAnswer", models.Outcome),
    "stop": ("EngineAnswer", models.Outcome),
    "emergency": ("EmergencyAnswer", models.Outcome),
    "reset": ("EmergencyOutcome", models.Outcome),
    "close": ("CommandAnswer", models.Outcome),
    "close-all": ("CommandAnswer", models.Outcome),
    "close-profitable": ("CommandAnswer", models.Outcome),
}
BODIES: dict[str, dict[str, object]] = {"emergency": {"flatten": True, "reason": "r"}}


@pytest.fixture(scope="module")
def models_of_the_api() -> Iterator[list[ModuleType]]:
    """The modules of `functions/api/models`, whose name is that of others, too."""
    with pytest.MonkeyPatch.context() as patched:
        patched.syspath_prepend(str(ROOT / "functions" / "api"))
        for name in [name for name in sys.modules if name.split(".")[0] == "models"]:
            patched.delitem(sys.modules, name)
        package = import_module("models")
        yield [import_module(f"models.{found.name}") for found in iter_modules(package.__path__)]


def model_named(name: str, modules: list[ModuleType]) -> type[BaseModel]:
    (model,) = {getattr(module, name) for module in modules if hasattr(module, name)}
    of_the_api: type[BaseModel] = model
    return of_the_api


@pytest.mark.parametrize("route", sorted(ROUTES))
def test_every_route_the_console_calls_is_in_the_description_of_the_api(route: str) -> None:
    method, path = ROUTES[route]
    described = described_paths()

    assert path in described
    assert method.lower() in described[path]


@pytest.mark.parametrize("route", sorted(ROUTES))
def test_the_console_reads_what_the_api_itself_would_write(
    route: str, models_of_the_api: list[ModuleType]
) -> None:
    name, kind = ANSWERS[route]
    method, path = ROUTES[route]
    query = {"symbol": "BTCUSDT", "candles": "3", "ticks": "2", "cadence": "true"}
    api: Any = an_api(Clock(), emergency={"verified": True} if route == "reset" else None)

    _, said = api.answer(
        method,
        path.format(id="p1"),
        query if method == "GET" else {},
        BODIES.get(route, {}),
        f"Bearer {TOKEN}",
    )
    of_the_api = model_named(name, models_of_the_api).model_validate(said)

    written = of_the_api.model_dump_json(by_alias=True)
    assert kind.model_validate_json(written) == kind.model_validate(said)
