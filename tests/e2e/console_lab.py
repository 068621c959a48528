"""What the console's browser tests need: the stand-in API on TLS, and a JupyterLab before it."""

import asyncio
import json
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import trustme
from aiohttp import web
from tests.console_api import TOKEN, ConsoleApi

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
LAB_TOKEN = "lab-token-of-the-test"


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def served(api: ConsoleApi, folder: Path, port: int) -> Iterator[dict[str, str]]:
    """Serve `api` on TLS from a thread; gives the environment a console finds it by."""
    authority = trustme.CA()
    ca_file, token_file = folder / "ca.pem", folder / "token"
    authority.cert_pem.write_to_path(str(ca_file))
    token_file.write_text(TOKEN)
    ready, loop = threading.Event(), asyncio.new_event_loop()

    async def handle(request: web.Request) -> web.Response:
        if api.down:
            await asyncio.sleep(0)
            raise web.HTTPServiceUnavailable(text="down")
        body = await request.json() if request.can_read_body else {}
        bearer = request.headers.get("Authorization", "")
        status, said = api.answer(request.method, request.path, dict(request.query), body, bearer)
        return web.json_response(said, status=status)

    async def start() -> web.AppRunner:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(context)
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", handle)
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port, ssl_context=context).start()
        return runner

    def serve() -> None:
        asyncio.set_event_loop(loop)
        runner = loop.run_until_complete(start())
        ready.set()
        loop.run_forever()
        loop.run_until_complete(runner.cleanup())
        loop.close()

    thread = threading.Thread(target=serve)
    thread.start()
    assert ready.wait(10)
    try:
        yield {
            "CTS_API_URL": f"https://127.0.0.1:{port}",
            "CTS_TOKEN_FILE": str(token_file),
            "CTS_CA_FILE": str(ca_file),
        }
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)


@contextmanager
def jupyter_lab(environment: dict[str, str], folder: Path) -> Iterator[str]:
    """A JupyterLab as `cts up` starts it, with folders of its own; gives its URL."""
    port = free_port()
    own = {
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "IPYTHONDIR": str(folder / "ipython"),
        "JUPYTER_CONFIG_PATH": str(NOTEBOOKS / "lab"),
    }
    command = [
        sys.executable, "-m", "jupyterlab", f"--ServerApp.port={port}",
        f"--IdentityProvider.token={LAB_TOKEN}", "--allow-root",
    ]  # fmt: skip
    with (folder / "lab.log").open("wb") as log:
        lab = subprocess.Popen(
            command, env=os.environ | environment | own, cwd=NOTEBOOKS, stdout=log, stderr=log
        )
    url = f"http://127.0.0.1:{port}"
    try:
        _await_lab(f"{url}/api/status?token={LAB_TOKEN}", lab)
        yield f"{url}/doc/tree/console.ipynb?token={LAB_TOKEN}"
    finally:
        lab.terminate()
        lab.wait(20)


def _await_lab(url: str, lab: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert lab.poll() is None, "JupyterLab ended early"
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.2)
    raise AssertionError("JupyterLab did not answer within 60 s")


def end_kernels(url: str) -> None:
    """End every kernel of the JupyterLab that serves `url`, as a crash would."""
    root, bearer = url.split("/doc/")[0], {"Authorization": f"token {LAB_TOKEN}"}
    listed = urllib.request.Request(f"{root}/api/kernels", headers=bearer)
    with urllib.request.urlopen(listed, timeout=10) as answer:
        kernels = json.load(answer)
    for kernel in kernels:
        ended = f"{root}/api/kernels/{kernel['id']}"
        request = urllib.request.Request(ended, headers=bearer, method="DELETE")
        urllib.request.urlopen(request, timeout=10).close()
