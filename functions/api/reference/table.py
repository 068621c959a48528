"""The table of all routes, built or left out, and of how every table is read, as Markdown."""

import inspect
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from chalice.app import Chalice

from adapters.tables import ALL
from guard import OPEN
from reference.areas import AREAS, area_of
from reference.document import contract_of_view, routes_of

_FILE = Path(__file__).with_name("wanted.toml")
_HEAD = """\
<!-- Written by functions/api/openapi.py from the routes, the models of the tables and
functions/api/reference/wanted.toml; do not edit. -->
# The API

Every route wants `Authorization: Bearer <token>` of a caller with at least its role, but for those
marked open. ★ marks what the mission's documents name. Bodies, answers and failures are in
[openapi.yaml](../openapi.yaml), which a deployment serves at `GET /api/openapi.json` and shows at
`GET /api/docs`.
"""
_COLUMNS = "| route | methods | role | what it does |\n| --- | --- | --- | --- |\n"
_LEFT_OUT = """
## Left out, and why

| what | why |
| --- | --- |
"""
_ACCESS = """
## How the tables are read

Instead of indexes for whatever may be asked, every question CTS asks has its own key: each read is
one key condition, and nothing is scanned. The models' own words:

| table | key | access patterns |
| --- | --- | --- |
"""


def table(app: Chalice) -> str:
    """The page `infra/docs/api.md`."""
    return "".join(
        (_HEAD, *_built(app), _LEFT_OUT, *_absent(), *_absent_words(), _ACCESS, *_patterns())
    )


def named() -> frozenset[str]:
    """Every route of the specification, parameters as {}."""
    return frozenset(_wanted()["mission"]) | frozenset(_wanted()["named"])


def left_out() -> dict[str, str]:
    """Why, by route."""
    return {route: one["why"] for one in _wanted()["left_out"] for route in one["routes"]}


def left_out_words() -> list[dict[str, str]]:
    """Parameters of a route that is built: `word`, `route` and `why`."""
    return list(_wanted()["left_out_word"])


def built(app: Chalice) -> frozenset[str]:
    """Every route there is, parameters as {}."""
    return frozenset(_normal(method, path) for path, method, _ in routes_of(app))


@cache
def _wanted() -> dict[str, Any]:
    return tomllib.loads(_FILE.read_text(encoding="utf-8"))


def _normal(method: str, path: str) -> str:
    return f"{method} {re.sub(r'{[^}]*}', '{}', path)}"


def _built(app: Chalice) -> Iterator[str]:
    found: dict[str, dict[tuple[str, str], list[str]]] = {}
    for path, method, view in routes_of(app):
        told = _cell((inspect.getdoc(view) or "").splitlines()[0])
        role = "open" if path in OPEN else contract_of_view(view).role.value
        row = (path, f"{role} | {told}")
        found.setdefault(area_of(path), {}).setdefault(row, []).append(method)
    for area, about in AREAS.items():
        if area in found:
            yield f"\n## {area}\n\n{about}\n\n{_COLUMNS}"
            yield from (_row(*row, methods) for row, methods in found[area].items())


def _row(path: str, told: str, methods: list[str]) -> str:
    mission = any(_normal(method, path) in _wanted()["mission"] for method in methods)
    return f"| {'★ ' if mission else ''}`{path}` | {' '.join(methods)} | {told} |\n"


def _absent_words() -> Iterator[str]:
    for one in left_out_words():
        yield f"| `{one['word']}` of `{one['route']}` | {one['why']} |\n"


def _absent() -> Iterator[str]:
    for one in _wanted()["left_out"]:
        routes = "<br>".join(f"`{route}`" for route in one["routes"])
        yield f"| {routes} | {one['why']} |\n"


def _patterns() -> Iterator[str]:
    for model in sorted(ALL, key=lambda one: one.Meta.table_name):
        told = _cell(inspect.getdoc(model) or "")
        keys = [one for one in (model._hash_keyname, model._range_keyname) if one]
        indexes = "".join(f"<br>index `{name}`" for name in sorted(model._indexes))
        name = model.Meta.table_name.rpartition("-")[2]
        yield f"| `{name}` | {' + '.join(f'`{key}`' for key in keys)}{indexes} | {told} |\n"


def _cell(text: str) -> str:
    """Text as a cell of a Markdown table shows it."""
    words = " ".join(text.split())
    return words.replace("<", "&lt;").replace(">", "&gt;").replace("|", "&#124;")
