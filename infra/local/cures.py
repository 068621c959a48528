"""Where MiniStack 1.5.33 differs from AWS in a way that shows, this changes it in memory.

Each cure names what it cures and has a test of its own. They reach into one exact version: a
changed text there ends the start with the cure's name instead of running without it.
"""

import hashlib
import os
import shutil
import threading
import time
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc, stepfunctions

WORKER_DIED = "Worker process died"
WORKER_NEVER_BEGAN = "Worker process exited immediately"
EXITED = "Runtime.ExitError"
NO_ERROR_TYPE = "Runtime.HandlerError"

# A worker whose MiniStack was killed would trade on into its successor's tables.
_WATCH_PARENT = """
import os as _os, threading as _threading, time as _time

def _end_with_parent(parent):
    while _os.getppid() == parent:
        _time.sleep(0.25)
    _os._exit(1)

_threading.Thread(target=_end_with_parent, args=(_os.getppid(),), daemon=True).start()
"""

_SILENT_ERROR = '"error": str(e), "trace"'
_NAMED_ERROR = '"error": str(e), "type": type(e).__name__, "trace"'

_last_error = threading.local()
_stopping = threading.Event()


class CureError(RuntimeError):
    """MiniStack is not the version these cures were written for."""


def adjust(*, logs: Path, layers: Path) -> None:
    """Apply every cure; `logs` gets the workers' output, `layers` their unpacked layers."""
    _name_errors()
    _end_workers_with_parent()
    _wait_less_for_logs()
    _keep_worker_logs(logs)
    _unpack_layers_once(layers)
    _refuse_workers_while_stopping()


def stop_workers() -> None:
    """End every worker, and start no more: nothing may act after the state is saved."""
    _stopping.set()
    lambda_runtime.reset()


def prune_executions(*, now_s: float, express_s: float = 60, standard_s: float = 3600) -> int:
    """Forget executions that ended long ago; stock, each stays in memory for ever."""
    executions = stepfunctions._executions._data
    ended = [
        key
        for key, execution in list(executions.items())
        if execution["status"] != "RUNNING"
        and now_s - _stopped_at(execution) > (express_s if _is_express(execution) else standard_s)
    ]
    for key in ended:
        executions.pop(key, None)
    return len(ended)


def _stopped_at(execution: dict[str, Any]) -> float:
    stopped: float = stepfunctions._epoch_seconds(execution.get("stopDate")) or 0.0
    return stopped


def _is_express(execution: dict[str, Any]) -> bool:
    for key, machine in list(stepfunctions._state_machines._data.items()):
        if key[2] == execution["stateMachineArn"]:
            return bool(machine.get("type") == "EXPRESS")
    return True


def _name_errors() -> None:
    """Retry and Catch see the exception's class, as on AWS, and not `Runtime.HandlerError`.

    A worker that is killed, in its start too, is a runtime that has exited.
    """
    script = lambda_runtime._PYTHON_WORKER_SCRIPT
    if script.count(_SILENT_ERROR) != 1:
        raise CureError("MiniStack's worker script reports errors in another way than 1.5.33")
    lambda_runtime._PYTHON_WORKER_SCRIPT = script.replace(_SILENT_ERROR, _NAMED_ERROR)

    invoke = lambda_runtime.Worker.invoke
    execute = lambda_svc._execute_function_warm

    def remembering(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            response = invoke(self, *args, **kwargs)
        except RuntimeError as error:
            if str(error).startswith(WORKER_NEVER_BEGAN):
                _last_error.name = EXITED
            raise
        died = response.get("error") == WORKER_DIED
        _last_error.name = EXITED if died else response.get("type")
        return response

    def naming(*args: Any, **kwargs: Any) -> Any:
        _last_error.name = None
        result = execute(*args, **kwargs)
        body = result.get("body")
        unnamed = _last_error.name == EXITED or (
            _last_error.name and body.get("errorType") == NO_ERROR_TYPE
        )
        if result.get("error") and unnamed:
            body["errorType"] = _last_error.name
        return result

    lambda_runtime.Worker.invoke = remembering
    lambda_svc._execute_function_warm = naming


def _end_workers_with_parent() -> None:
    lambda_runtime._PYTHON_WORKER_SCRIPT = _WATCH_PARENT + lambda_runtime._PYTHON_WORKER_SCRIPT


def _wait_less_for_logs() -> None:
    """Stock, a silent invocation waits 50 ms for a log line; it is a file's line here anyway."""
    drain = lambda_runtime.Worker._drain_stderr_bounded
    if drain.__defaults__ != (0.050, 0.005, 0.250):
        raise CureError("MiniStack waits for log lines in another way than 1.5.33")
    drain.__defaults__ = (0.002, 0.001, 0.020)


def _keep_worker_logs(logs: Path) -> None:
    """Write what a worker prints to `lambda-<function>.log` as it comes, not after its burst."""

    def read(self: Any) -> None:
        with (logs / f"lambda-{self.func_name}.log").open("a", encoding="utf-8") as file:
            for line in self._proc.stderr:
                self._stderr_queue.put(line.rstrip("\n"))
                file.write(line)
                file.flush()

    lambda_runtime.Worker._read_stderr = read


def _unpack_layers_once(layers: Path) -> None:
    """Link the layers into a new worker's folder; stock, each cold start unpacks 180 MB anew."""
    lock = threading.Lock()

    class Archive(zipfile.ZipFile):
        def extractall(self, path: Any = None, members: Any = None, pwd: Any = None) -> None:
            target = Path(path)
            if not target.name.startswith("layer_"):
                super().extractall(path, members, pwd)
                return
            content = hashlib.sha256(Path(str(self.filename)).read_bytes()).hexdigest()
            unpacked = layers / content
            with lock:
                if not unpacked.exists():
                    part = layers / f"{content}.part"
                    shutil.rmtree(part, ignore_errors=True)
                    super().extractall(part)
                    part.rename(unpacked)
            target.rmdir()
            target.symlink_to(unpacked)
            Path(str(self.filename)).unlink()

    lambda_runtime.zipfile = SimpleNamespace(
        ZipFile=Archive, BadZipFile=zipfile.BadZipFile, LargeFileError=zipfile.LargeZipFile
    )


def _refuse_workers_while_stopping() -> None:
    spawn = lambda_runtime.Worker._spawn

    def guarded(self: Any) -> None:
        if _stopping.is_set():
            raise RuntimeError("MiniStack is shutting down")
        spawn(self)

    lambda_runtime.Worker._spawn = guarded


def snapshot(services: dict[str, Any], save_state: Any) -> int:
    """Save the named services from a forked child and return its id.

    The child sees the memory as it was at the call, so the server neither waits for the disk nor
    is saved half-way through a request. Call it from the thread that serves the requests.
    """
    child = os.fork()
    if child:
        return child
    os.closerange(3, 4096)  # sockets and the workers' pipes are the parent's
    try:
        os.nice(10)
        for name, state in services.items():
            save_state(name, state())
    finally:
        os._exit(0)


def now_s() -> float:
    """Wall clock in seconds, as MiniStack stamps its executions."""
    return time.time()
