"""`cts backup`: copies of what must last, their restore, and the proof that it works."""

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from local.backups import manifest as manifests
from local.backups.creating import StoppedError, Work, create
from local.backups.drill import drill
from local.backups.manifest import COMPLETE, BackupError
from local.backups.restoring import restore
from local.backups.shelf import FolderShelf, S3Shelf, Shelf
from local.backups.tables import Tables
from local.deployment import UNREACHABLE, UnreachableError, at_twin, twin_places

FAILED = 1
STOPPED = 130
"""Exit code after Ctrl-C, as a shell's own."""

backup = typer.Typer(no_args_is_help=True, help="Copies of what must last, and their restore.")

At = Annotated[
    str | None,
    typer.Option("--at", help="Folder or s3://bucket/prefix; without it the twin's own folder."),
]
Stack = Annotated[
    str | None,
    typer.Option(help="A stack on AWS, with your own credentials; without it the running twin."),
]
Json = Annotated[bool, typer.Option("--json", help="One object, on the last line.")]


@backup.command("create")
def create_backup(at: At = None, stack: Stack = None, as_json: Json = False) -> None:
    """Copy every table that must last; Ctrl-C stops it, and the next call goes on."""

    def act(work: Work) -> dict[str, Any]:
        name = create(work)
        return _told(work.shelf, name)

    _run(act, at, stack, as_json)


@backup.command("list")
def list_backups(at: At = None, stack: Stack = None, as_json: Json = False) -> None:
    """Show each backup with its size, and whether every checksum holds; 1 if one does not."""

    def act(work: Work) -> dict[str, Any]:
        found = [_told(work.shelf, name) for name in manifests.every(work.shelf)]
        for one in found:
            work.tell(
                f"{one['name']}  {one['rows']} rows  {one['bytes']} bytes  {one['state']}  "
                + (one["problems"][0] if one["problems"] else "checksums hold")
            )
        if not found:
            work.tell(f"no backup in {work.shelf}")
        return {"backups": found, "ok": not any(one["problems"] for one in found)}

    _run(act, at, stack, as_json)


@backup.command("restore")
def restore_backup(
    name: Annotated[str, typer.Argument(help="As `cts backup list` names it.")],
    at: At = None,
    stack: Stack = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Bring the tables to what a backup says; engines must be stopped, and stay so."""
    if not yes:
        typer.confirm(f"Replace the present tables by {name}?", abort=True, err=True)

    def act(work: Work) -> dict[str, Any]:
        before = restore(work, name)
        from local.backups.models import note_and_verify  # its tables read their names at import

        faults = note_and_verify(name, before, now_ms=work.now_ms())
        for fault in faults:
            work.tell(f"audit log: {fault}")
        work.tell(f"restored; what was there before is {before}")
        return {"restored": name, "before": before, "audit_faults": faults, "ok": not faults}

    _run(act, at, stack, as_json)


@backup.command("drill")
def drill_backup(
    name: Annotated[str | None, typer.Argument(help="A backup; the newest unless named.")] = None,
    at: At = None,
    stack: Stack = None,
    as_json: Json = False,
) -> None:
    """Restore a backup into tables of its own, compare and read every row, clear them away."""

    def act(work: Work) -> dict[str, Any]:
        from local.backups.models import reads_rows  # its tables read their names at import

        found = drill(work, name or _newest(work.shelf), reads=reads_rows)
        work.tell(
            f"{found.backup} can be restored: {found.rows} rows in {found.tables} tables, "
            f"{found.took_ms / 1000:.1f} s"
        )
        return asdict(found)

    _run(act, at, stack, as_json)


def _run(
    act: Callable[[Work], dict[str, Any]], at: str | None, stack: str | None, as_json: bool
) -> None:
    """Do it, tell it, and leave with the exit code of what happened."""
    tell = _complain if as_json else typer.echo
    try:
        with stop_on_ctrl_c() as stop:
            found = {"ok": True} | act(_work(at, stack, tell=tell, stop=stop))
        code = 0 if found["ok"] else FAILED
    except UnreachableError as error:
        found, code = {"ok": False, "error": str(error)}, UNREACHABLE
    except BackupError as error:
        found, code = {"ok": False, "error": str(error)}, FAILED
    except StoppedError as error:
        found, code = {"ok": False, "error": str(error)}, STOPPED
    if "error" in found:
        _complain(found["error"])
    if as_json:
        typer.echo(json.dumps(found))
    raise typer.Exit(code)


def _work(
    at: str | None, stack: str | None, *, tell: Callable[[str], None], stop: threading.Event
) -> Work:
    import boto3  # only these commands need it here

    if stack is None:
        places = twin_places()
        at_twin(places)
        from local.stack import STACK

        stack, at = STACK, at or str(places.backups)
    elif at is None:
        raise BackupError("--stack needs --at: a folder, or s3://bucket/prefix")
    else:
        os.environ["CTS_TABLE_PREFIX"] = stack
    return Work(
        tables=Tables(client=boto3.client("dynamodb"), stack=stack),
        shelf=_shelf(at, boto3.client),
        tell=tell,
        stop=stop.is_set,
        now_ms=lambda: time.time_ns() // 1_000_000,
    )


def _shelf(at: str, client: Callable[[str], Any]) -> Shelf:
    if not at.startswith("s3://"):
        return FolderShelf(Path(at).expanduser())
    bucket, _, prefix = at.removeprefix("s3://").partition("/")
    if not bucket:
        raise BackupError(f"--at must be a folder or s3://bucket/prefix, was {at!r}")
    return S3Shelf(client("s3"), bucket, prefix.strip("/"))


@contextmanager
def stop_on_ctrl_c() -> Iterator[threading.Event]:
    """An event that Ctrl-C sets; a second one ends the process at once, as ever."""
    asked = threading.Event()

    def ask(signum: int, frame: object) -> None:
        asked.set()
        signal.signal(signum, before[signum])

    before = {int(one): signal.signal(one, ask) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)


def _newest(shelf: Shelf) -> str:
    whole = [
        name
        for name in manifests.every(shelf)
        if name.startswith("backup-") and manifests.load(shelf, name).state == COMPLETE
    ]
    if not whole:
        raise BackupError(f"there is no complete backup in {shelf}: `cts backup create` makes one")
    return whole[-1]


def _told(shelf: Shelf, name: str) -> dict[str, Any]:
    """A backup as a list shows it; a damaged one is shown, too."""
    try:
        found = manifests.load(shelf, name)
    except BackupError as error:
        return {"name": name, "rows": 0, "bytes": 0, "state": "damaged", "problems": [str(error)]}
    return {
        "name": name,
        "created": datetime.fromtimestamp(found.created_at_ms / 1000, UTC).isoformat(),
        "reason": found.reason,
        "stack": found.stack,
        "state": found.state,
        "rows": found.items,
        "bytes": found.bytes,
        "tables": {copy.name: copy.items for copy in found.tables},
        "problems": manifests.problems(shelf, found),
    }


def _complain(text: str) -> None:
    typer.echo(text, err=True)
