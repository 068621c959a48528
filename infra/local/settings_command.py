"""`cts settings`: what engines run with, read and changed through the API of a deployment."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NoReturn

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
from local.settings_text import bounds, moment, said, show, show_change, typed, waiting, what

Found = Mapping[str, Any]
settings = typer.Typer(
    no_args_is_help=True, help="Read, change, roll back, export and import settings."
)
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object.")]
Pairs = Annotated[list[str], typer.Argument(help="KEY=VALUE; lists as 3,5,8; KEY= to inherit.")]
Reason = Annotated[str, typer.Option(help="Why; the history shows it.")]


class RefusedByApiError(Exception):
    """The API refused; the message holds every problem it told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The settings of the system, or of one connection, at a deployment."""

    api: Deployment
    connection: str | None = None

    def ask(self, method: str, action: str = "", **options: Any) -> Found:
        """One request of the scope; raises RefusedByApiError, UnreachableError."""
        own = f"/api/settings/connections/{self.connection}/settings"
        answer = self.api.ask(
            method, (own if self.connection else "/api/settings") + action, **options
        )
        if answer.status >= 400:
            told = [one["message"] for one in answer.body.get("details", ()) if "message" in one]
            raise RefusedByApiError("\n".join(told) or answer.error)
        return answer.body

    def asked(self, pairs: list[str]) -> dict[str, Any]:
        """What `pairs` change, and the version that they were read with."""
        known = self.ask("GET")
        types = {one["key"]: str(one["type"]) for one in known["settings"]}
        values: dict[str, Any] = {}
        for pair in pairs:
            key, equals, text = pair.partition("=")
            if not equals:
                raise RefusedByApiError(f"{pair!r} must be KEY=VALUE")
            values[key] = typed(text, types.get(key, "text"))
        return {"values": values, "version": known["version"]}


@settings.callback()
def choose(
    context: typer.Context,
    connection: Annotated[
        str | None, typer.Option(help="Settings of this connection, not of the system.")
    ] = None,
    url: Url = None,
    token: Token = None,
    ca_file: CaFile = None,
) -> None:
    """Read, change, roll back, export and import settings."""
    context.obj = lambda: Scope(api=deployment(url, token, ca_file), connection=connection)


@settings.command("list")
def show_all(
    context: typer.Context,
    tab: Annotated[str | None, typer.Option(help="One tab alone.")] = None,
    mode: Annotated[str | None, typer.Option(help="main or preset: what that reads.")] = None,
    changed: Annotated[bool, typer.Option("--changed", help="No defaults.")] = False,
    as_json: AsJson = False,
) -> None:
    """Every setting: value, range, where it comes from, when a change counts."""
    query = {name: value for name, value in (("tab", tab), ("mode", mode)) if value}
    found = _done(context, lambda scope: scope.ask("GET", query=query))
    told = [one for one in found["settings"] if not changed or one["source"] != "default"]
    rows = [
        [one["key"], said(one["value"]), bounds(one), one["source"], one["effect"], waiting(one)]
        for one in told
    ]
    if as_json:
        typer.echo(json.dumps({**found, "settings": told}))
    else:
        show(("key", "value", "range", "from", "counts", ""), rows)


@settings.command()
def get(
    context: typer.Context,
    key: Annotated[str, typer.Argument(help="As `cts settings list` shows it.")],
    as_json: AsJson = False,
) -> None:
    """One setting with everything known of it."""
    found = _done(context, lambda scope: scope.ask("GET"))
    one = next((each for each in found["settings"] if each["key"] == key), None)
    if one is None:
        _fail(f"there is no setting {key!r}", 1)
    if as_json:
        typer.echo(json.dumps(one))
    else:
        show(("", ""), [[name, said(value)] for name, value in one.items()])


@settings.command("set")
def change(
    context: typer.Context, pairs: Pairs, reason: Reason = "", as_json: AsJson = False
) -> None:
    """Change settings, all or none, unless somebody else does so meanwhile."""

    def work(scope: Scope) -> Found:
        return scope.ask("PATCH", body={**scope.asked(pairs), "reason": reason})

    _answer(_done(context, work), as_json)


@settings.command()
def diff(context: typer.Context, pairs: Pairs, as_json: AsJson = False) -> None:
    """What `set` would change, and from when on; 1 with every problem if it would refuse."""
    found = _done(context, lambda scope: scope.ask("POST", "/validate", body=scope.asked(pairs)))
    _answer(found, as_json)


@settings.command("export")
def export_all(
    context: typer.Context,
    out: Annotated[Path | None, typer.Option(help="Into this file.")] = None,
) -> None:
    """What the system, or a connection, decides, as JSON."""
    text = json.dumps(_done(context, lambda scope: scope.ask("GET", "/export")), indent=2)
    if out is None:
        typer.echo(text)
    else:
        out.write_text(f"{text}\n", encoding="utf-8")


@settings.command("import")
def import_all(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Of an export.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Store nothing.")] = False,
    reason: Reason = "",
    as_json: AsJson = False,
) -> None:
    """Let the system, or a connection, decide exactly what a file holds, all or nothing."""
    try:
        values = json.loads(file.read_text(encoding="utf-8"))["values"]
    except (ValueError, KeyError, TypeError) as error:
        _fail(f"{file} is no export of settings: {error!r}", 1)
    body = {"values": values, "dryRun": dry_run, "reason": reason}
    _answer(_done(context, lambda scope: scope.ask("POST", "/import", body=body)), as_json)


@settings.command()
def rollback(
    context: typer.Context,
    version: Annotated[int, typer.Argument(min=0, help="Of the history; 0 is the beginning.")],
    reason: Reason = "",
    as_json: AsJson = False,
) -> None:
    """Add a version equal to an older one."""
    body = {"version": version, "reason": reason}
    _answer(_done(context, lambda scope: scope.ask("POST", "/rollback", body=body)), as_json)


@settings.command()
def history(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=1, max=100, help="How many.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Who changed what, when and why, the newest first."""
    query = {"limit": str(limit)}
    found = _done(context, lambda scope: scope.ask("GET", "/versions", query=query))
    rows = [
        [str(one["version"]), moment(one["created_at_ms"]), one["author"], one["reason"], what(one)]
        for one in found["versions"]
    ]
    if as_json:
        typer.echo(json.dumps(found))
    else:
        show(("version", "at (UTC)", "by", "why", "what"), rows)


def _answer(found: Found, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(found))
    else:
        show_change(found)
    if not found.get("valid", True):
        raise typer.Exit(1)


def _done(context: typer.Context, work: Callable[[Scope], Found]) -> Found:
    try:
        return work(context.obj())
    except RefusedByApiError as error:
        _fail(str(error), 1)
    except UnreachableError as error:
        _fail(str(error), UNREACHABLE)


def _fail(sentence: str, code: int) -> NoReturn:
    typer.echo(sentence, err=True)
    raise typer.Exit(code)
