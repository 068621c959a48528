"""MiniStack as the twin's AWS: `python -m local.aws --port 4566 --state DIR --logs DIR`.

Its state is saved to `--state` at SIGTERM, its tables every few seconds as well: a killed MiniStack
loses what was written since. SIGUSR1 saves everything at once, as after a deployment.
"""

import argparse
import asyncio
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

VERSION = "1.5.33"
SAVE_TABLES_EVERY_S = 5.0
PRUNE_EVERY_S = 10.0


def environment(*, port: int, state: Path) -> dict[str, str]:
    """What MiniStack reads from its environment when it is imported."""
    return {
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "PERSIST_STATE": "1",
        "STATE_DIR": str(state),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(state / "s3"),
        "TMPDIR": str(state / "tmp"),
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "LAMBDA_EXECUTOR": "local",
        "LAMBDA_WARM_TTL_SECONDS": "120",
        # A 12-digit key would be taken for the account, and unsigned requests look in 000000000000.
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "LOG_LEVEL": os.environ.get("LOG_LEVEL", "WARNING"),
    }


def main() -> None:
    """Serve until SIGTERM or Ctrl-C, then end the workers, save, and end."""
    arguments = _arguments()
    state, logs = arguments.state.resolve(), arguments.logs.resolve()
    # Workers of a killed MiniStack leave their folders; nobody uses them any more.
    shutil.rmtree(state / "tmp", ignore_errors=True)
    for folder in (state / "tmp", state / "layers", logs):
        folder.mkdir(parents=True, exist_ok=True)
    os.environ.update(environment(port=arguments.port, state=state))

    from local import cures  # MiniStack reads its environment when it is first imported

    cures.adjust(logs=logs, layers=state / "layers")
    asyncio.run(_serve(arguments.port))
    sys.stdout.flush()
    os._exit(0)  # threads of executions still wait for workers that have been ended


async def _serve(port: int) -> None:
    from hypercorn.asyncio import serve
    from hypercorn.config import Config
    from ministack import app

    from local import cures

    loop = asyncio.get_running_loop()
    stop, save = asyncio.Event(), asyncio.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stop.set)
    loop.add_signal_handler(signal.SIGUSR1, save.set)

    async def stopped() -> None:
        await stop.wait()
        housekeeping.cancel()
        await asyncio.gather(housekeeping, return_exceptions=True)
        await asyncio.to_thread(cures.stop_workers)

    config = Config()
    config.bind = [f"127.0.0.1:{port}"]
    config.keep_alive_timeout = 75
    config.graceful_timeout = 1
    housekeeping = asyncio.create_task(_keep_house(app, save))
    await serve(app.app, config, shutdown_trigger=stopped)


async def _keep_house(app: Any, save_all: asyncio.Event) -> None:
    """Save the tables and forget ended executions, over and over; save everything when asked."""
    from ministack.core.persistence import save_state

    from local import cures

    loop = asyncio.get_running_loop()
    saver, saved, pruned = 0, loop.time(), loop.time()
    try:
        while True:
            await _wait(save_all, 1.0)
            saver = _reaped(saver)
            if not saver and (save_all.is_set() or loop.time() - saved >= SAVE_TABLES_EVERY_S):
                services = app._build_persistence_save_dict()
                tables = {name: state for name, state in services.items() if name == "dynamodb"}
                saver = cures.snapshot(services if save_all.is_set() else tables, save_state)
                save_all.clear()
                saved = loop.time()
            if loop.time() - pruned >= PRUNE_EVERY_S:
                cures.prune_executions(now_s=cures.now_s())
                pruned = loop.time()
    finally:
        if saver:  # it writes the very files of the last save, which must come after it
            await asyncio.to_thread(os.waitpid, saver, 0)


async def _wait(event: asyncio.Event, seconds: float) -> None:
    if event.is_set():  # a save is still being written: ask again in a moment
        await asyncio.sleep(0.1)
        return
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return


def _reaped(child: int) -> int:
    """The id of the saving child, or 0 once it has ended."""
    if child and os.waitpid(child, os.WNOHANG) == (0, 0):
        return child
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.aws", description=__doc__)
    parser.add_argument("--port", type=int, default=4566)
    parser.add_argument("--state", type=Path, required=True, help="folder of the saved state")
    parser.add_argument("--logs", type=Path, required=True, help="folder of the workers' logs")
    return parser.parse_args()


if __name__ == "__main__":
    main()
