"""Settings as people write and read them on a command line."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.table import Table


def typed(text: str, kind: str) -> object:
    """A value as the API takes it, None for an empty text; numbers stay text, digit for digit."""
    if not text:
        return None
    if kind.startswith("list of "):
        return [typed(part.strip(), kind.removeprefix("list of ")) for part in text.split(",")]
    if kind == "switch":
        return {"true": True, "false": False}.get(text.lower(), text)
    return text


def said(value: object) -> str:
    """A value as people read it."""
    if isinstance(value, list):
        return " ".join(map(said, value))
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def bounds(one: Mapping[str, Any]) -> str:
    """What a value may be."""
    if one["choices"]:
        return " | ".join(one["choices"])
    if one["min"] is None:
        return str(one["type"])
    step = f" by {one['step']}" if one["step"] else ""
    return f"{one['min']} .. {one['max']}{step} {one['unit']}".rstrip()


def waiting(one: Mapping[str, Any]) -> str:
    """What the loops still use where that is another value."""
    if not one["pending"]:
        return ""
    return "used: " + ", ".join(f"{loop} {said(value)}" for loop, value in one["used"].items())


def what(version: Mapping[str, Any]) -> str:
    """The changes of one version."""
    pairs = version["changes"].items()
    return "; ".join(f"{key} {said(old) or '-'} -> {said(new) or '-'}" for key, (old, new) in pairs)


def moment(time_ms: int) -> str:
    """A time as people read it, UTC."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def show_change(found: Mapping[str, Any]) -> None:
    """Problems, or what differs from when on, and the version that holds it."""
    for problem in found.get("problems", ()):
        tell(problem["message"])
    rows = [
        [one["key"], said(one["old"]), said(one["new"]), one["effect"], "!" * one["critical"]]
        for one in found.get("changes", ())
    ]
    if rows:
        show(("key", "old", "new", "counts", "critical"), rows)
    if found.get("message"):
        tell(f"{found['message']} (version {found['version']})")


def show(head: tuple[str, ...], rows: list[list[str]]) -> None:
    """Print a table as wide as its terminal."""
    table = Table(*head, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*row)
    _console().print(table)


def tell(text: str) -> None:
    """Print one line as it is."""
    _console().print(text, soft_wrap=True)


def _console() -> Console:
    return Console(highlight=False, markup=False)
