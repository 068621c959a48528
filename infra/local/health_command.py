"""`cts health-check`: what the API says of itself, and of its engines."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any

import typer

from local.deployment import (
    UNREACHABLE,
    CaFile,
    Deployment,
    Token,
    UnreachableError,
    Url,
    deployment,
)

EXIT_CODES = {"critical": 1, "unreachable": UNREACHABLE}
"""Of each overall health; healthy and degraded are 0."""
HEALTH = "/api/system/health-check"
STATUS = "/api/trade-engine/status"
SYSTEM = "/api/monitoring/system"

Found = dict[str, Any]


def health_check(
    url: Url = None,
    token: Token = None,
    ca_file: CaFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="One object, on one line.")] = False,
) -> None:
    """Ask every part whether it works: 0 healthy or degraded, 1 critical, 3 not to be asked."""
    try:
        found = asked(deployment(url, token, ca_file))
    except UnreachableError as error:
        found = {"overall": "unreachable", "issues": [str(error)]}
    show(found, tell=_complain if as_json else typer.echo)
    if as_json:
        typer.echo(json.dumps(found))
    raise typer.Exit(EXIT_CODES.get(found["overall"], 0))


def asked(api: Deployment) -> Found:
    """Health with the engines and the monitor's view of the system.

    Raises
    ------
    UnreachableError
        If the API does not answer, or not to this token.
    """
    health = api.ask("GET", HEALTH, with_token=False)
    if "components" not in health.body:
        raise UnreachableError(f"{api.url}{HEALTH} answered {health.status}: {health.error}")
    names = ("overall", "components", "workflows", "issues")
    found: Found = {"url": api.url, **{name: health.body[name] for name in names}}
    if found["components"].get("database") == "critical":
        return found | {"engines": [], "system": {}}  # nothing else can be read
    engines = _needed(api, STATUS)["connections"]
    system = api.get(SYSTEM).body.get("states", {})
    return found | {"engines": [_engine(one) for one in engines], "system": system}


def _needed(api: Deployment, path: str) -> Mapping[str, Any]:
    answer = api.get(path)
    if answer.status != 200:
        raise UnreachableError(f"{api.url}{path} answered {answer.status}: {answer.error}")
    return answer.body


def _engine(told: Mapping[str, Any]) -> Found:
    loops = {name: told[f"{name}_loop"] for name in ("trade", "position")}
    return {
        "connection": told["name"],
        "connection_id": told["connectionId"],
        "exchange": told["exchange"],
        "wanted": told["desired_state"],
        "is": told["actual_state"],
        "error": told["error"],
        "loops": {
            name: {"alive": loop["alive"], "phase": loop["phase"], "age_ms": loop["age_ms"]}
            for name, loop in loops.items()
        },
    }


def show(found: Found, *, tell: Callable[[str], None]) -> None:
    """The same for people."""
    tell(f"{found.get('url', 'CTS')} is {found['overall']}")
    for line in _lines(found):
        tell(line)
    tell("issues:" if found["issues"] else "no issues")
    for issue in found["issues"]:
        tell(f"  {issue}")


def _lines(found: Found) -> Iterator[str]:
    for heading in ("components", "workflows"):
        if found.get(heading):
            yield f"{heading}:"
        for name, state in found.get(heading, {}).items():
            yield f"  {name:<20} {state}"
    for engine in found.get("engines", []):
        yield from _engine_lines(engine)
    if found.get("system"):
        yield "system:"
    for part, state in found.get("system", {}).items():
        yield f"  {part:<20} {', '.join(f'{name} {value}' for name, value in state.items())}"


def _engine_lines(engine: Found) -> Iterator[str]:
    error = f": {engine['error']}" if engine["error"] else ""
    yield (
        f"engine {engine['connection']} ({engine['exchange']}): "
        f"wanted {engine['wanted']}, is {engine['is']}{error}"
    )
    for name, loop in engine["loops"].items():
        age_ms = loop["age_ms"]
        since = "no tick yet" if age_ms is None else f"last tick {age_ms / 1000:.1f} s ago"
        alive = "alive" if loop["alive"] else "not alive"
        yield f"  {name:<8} loop {alive}, {loop['phase']}, {since}"


def _complain(text: str) -> None:
    typer.echo(text, err=True)
