"""The console, the stand-in it is tested with and the real API speak the same language."""

import sys
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import pytest
import yaml
from pydantic import BaseModel
from tests.console_api import CONNECTION, TOKEN
from tests.unit.console.screens import Clock, an_api

from console import models
from console.client import ROUTES

ROOT = Path(__file__).parents[3]
ANSWERS: dict[str, tuple[str, type[BaseModel]]] = {
    "status": ("StatusAnswer", models.Status),
    "progression": ("ProgressionAnswer", models.Progression),
    "performance": ("PerformanceAnswer", models.Performance),
    "connections": ("ConnectionsAnswer", models.Connections),
    "positions": ("PositionsAnswer", models.Positions),
    "orders": ("OrdersAnswer", models.Orders),
    "candles": ("MarketAnswer", models.Candles),
    "start": ("EngineAnswer", models.Outcome),
    "stop": ("EngineAnswer", models.Outcome),
}


@cache
def described_paths() -> dict[str, dict[str, Any]]:
    paths: dict[str, dict[str, Any]] = yaml.safe_load(
        (ROOT / "infra" / "openapi.yaml").read_text()
    )["paths"]
    return paths


def model_of_the_api(name: str) -> type[BaseModel]:
    """A model of `functions/api/models`, which must be importable already."""
    package = import_module("models")
    modules = [import_module(f"models.{found.name}") for found in iter_modules(package.__path__)]
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
    route: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "functions" / "api"))
    for name in [name for name in sys.modules if name.split(".")[0] == "models"]:
        monkeypatch.delitem(sys.modules, name)
    name, kind = ANSWERS[route]
    method, path = ROUTES[route]
    query = {"connectionId": CONNECTION, "symbol": "BTCUSDT", "limit": "3"}
    api: Any = an_api(Clock())

    _, said = api.answer(method, path, query if method == "GET" else {}, {}, f"Bearer {TOKEN}")
    of_the_api = model_of_the_api(name).model_validate(said)

    written = of_the_api.model_dump_json(by_alias=True)
    assert kind.model_validate_json(written) == kind.model_validate(said)
