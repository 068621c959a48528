"""The command line, environment and readiness of each process of the twin."""

import json
import os
import secrets
import ssl
import sys
from dataclasses import dataclass
from pathlib import Path

import httpx

from local import operator
from local.certificates import write_private
from local.places import ROOT, Places
from local.processes import Program


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """What the paper exchange trades: a tape, or a seeded generator."""

    symbols: int = 8
    seed: int = 1
    tape: Path | None = None
    begin_s: int | None = None
    """The generator's second (Unix time) that plays first; None: the clock's."""
    stream: bool = True


def paper_exchange(places: Places, market: Market) -> Program:
    """The exchange, on TLS, with its books under the twin's folder."""
    keys = operator.ensure_paper_keys(places)
    choices = ["--symbols", str(market.symbols), "--seed", str(market.seed)]
    if market.tape is not None:
        choices += ["--tape", str(market.tape.resolve())]
    if market.begin_s is not None:
        choices += ["--begin", str(market.begin_s)]
    if not market.stream:
        choices.append("--no-stream")

    async def is_ready() -> bool:
        return await _answers(f"{places.control_url}/health")

    return Program(
        name="the paper exchange",
        arguments=(
            sys.executable,
            "-m",
            "local.paper",
            "--port",
            str(places.ports.paper),
            "--control-port",
            str(places.ports.paper_control),
            "--dir",
            str(places.paper),
            *choices,
        ),
        log=places.logs / "paper.log",
        environment={
            "CTS_PAPER_API_KEY": keys.key,
            "CTS_PAPER_API_SECRET": keys.secret,
            "CTS_PAPER_PASSPHRASE": keys.passphrase,
        },
        is_ready=is_ready,
    )


def aws(places: Places) -> Program:
    """MiniStack."""

    async def is_ready() -> bool:
        return await _answers(f"{places.aws_url}/_ministack/ready")

    return Program(
        name="AWS",
        arguments=(
            sys.executable,
            "-m",
            "local.aws",
            "--port",
            str(places.ports.aws),
            "--state",
            str(places.aws_state),
            "--logs",
            str(places.logs),
        ),
        log=places.logs / "aws.log",
        is_ready=is_ready,
    )


def api_front(places: Places, upstream: str) -> Program:
    """The API's HTTPS address."""
    certificate = places.home / "server.pem"
    trust = ssl.create_default_context(cafile=str(places.ca))

    async def is_ready() -> bool:
        url = f"{places.api_url}/api/system/health-check"
        return await _answers(url, trust, also=503)  # a critical system answers, too

    return Program(
        name="the API",
        arguments=(
            sys.executable,
            "-m",
            "local.front",
            "--port",
            str(places.ports.api),
            "--upstream",
            upstream,
            "--certificate",
            str(certificate),
        ),
        log=places.logs / "api.log",
        is_ready=is_ready,
    )


def console(places: Places) -> Program:
    """JupyterLab with the console's notebook, which calls the API and nothing else."""
    token = _console_token(places)
    jupyter = places.home / "jupyter"

    async def is_ready() -> bool:
        return await _answers(f"http://127.0.0.1:{places.ports.console}/api")

    return Program(
        name="the console",
        arguments=(
            sys.executable,
            "-m",
            "jupyterlab",
            f"--ServerApp.port={places.ports.console}",
            "--ServerApp.port_retries=0",
            *(("--allow-root",) if os.geteuid() == 0 else ()),
        ),
        log=places.logs / "console.log",
        environment={
            "CTS_API_URL": places.api_url,
            "CTS_TOKEN_FILE": str(places.token),
            "CTS_CA_FILE": str(places.ca),
            "JUPYTER_TOKEN": token,
            "JUPYTER_CONFIG_PATH": str(ROOT / "notebooks" / "lab"),
            "JUPYTER_CONFIG_DIR": str(jupyter / "config"),
            "JUPYTER_DATA_DIR": str(jupyter / "data"),
            "JUPYTER_RUNTIME_DIR": str(jupyter / "runtime"),
            "JUPYTERLAB_SETTINGS_DIR": str(jupyter / "settings"),
            "JUPYTERLAB_WORKSPACES_DIR": str(jupyter / "workspaces"),
        },
        folder=ROOT / "notebooks",
        is_ready=is_ready,
    )


def console_url(places: Places) -> str:
    """The console's address with the token that opens it."""
    token = _console_token(places)
    return f"http://127.0.0.1:{places.ports.console}/doc/tree/console.ipynb?token={token}"


def _console_token(places: Places) -> str:
    file = places.home / "console_token.json"
    if not file.exists():
        write_private(file, json.dumps(secrets.token_urlsafe(24)).encode())
    token: str = json.loads(file.read_text(encoding="ascii"))
    return token


async def _answers(url: str, trust: ssl.SSLContext | None = None, *, also: int = 200) -> bool:
    try:
        async with httpx.AsyncClient(verify=trust or False, trust_env=False, timeout=10) as http:
            answer = await http.get(url)
            return answer.is_success or (answer.status_code == also and "overall" in answer.text)
    except httpx.HTTPError:
        return False
