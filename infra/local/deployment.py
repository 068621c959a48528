"""The deployment that a command speaks of: the running twin, or the API at a URL."""

import json
import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from local.checks import running_twin
from local.places import Places, Ports, default_home

TIMEOUT_S = 30.0
UNREACHABLE = 3
"""Exit code of a command that could not ask; 2 is that of a wrong call, 1 that of bad news."""

Url = Annotated[str | None, typer.Option(help="API to ask; without it that of the running twin.")]
Token = Annotated[
    str | None, typer.Option(envvar="CTS_TOKEN", help="Bearer token for --url.", show_envvar=True)
]
CaFile = Annotated[
    Path | None, typer.Option("--ca", exists=True, help="Authority that signed --url, if private.")
]


class UnreachableError(Exception):
    """Nobody could be asked; the message says who and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A status and the JSON object that came with it."""

    status: int
    body: Mapping[str, Any]

    @property
    def error(self) -> str:
        """What the API said was wrong."""
        return str(self.body.get("error") or self.body.get("message") or f"status {self.status}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """An API with a token for it; `places` is set for the twin of this machine alone."""

    url: str
    places: Places | None = None
    token: str = field(default="", repr=False)
    ca_file: Path | None = None
    transport: httpx.BaseTransport | None = None

    def ask(
        self,
        method: str,
        path: str,
        *,
        with_token: bool = True,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Answer:
        """One request; a refusal is an answer, too.

        Raises
        ------
        UnreachableError
            If nothing answers, or with something that is not a JSON object.
        """
        sent = {"Authorization": f"Bearer {self.token}"} if with_token else {}
        try:
            with self._client() as http:
                heard = http.request(method, path, headers=sent, params=query, json=body)
            told = json.loads(self._masked(heard.text))
        except httpx.HTTPError as error:
            raise UnreachableError(f"{self.url} does not answer: {error!r}") from error
        except ValueError as error:
            raise UnreachableError(
                f"{method} {self.url}{path} answered {heard.status_code} without JSON"
            ) from error
        if not isinstance(told, dict):
            raise UnreachableError(f"{method} {self.url}{path} answered no JSON object")
        return Answer(status=heard.status_code, body=told)

    def get(self, path: str, **query: str) -> Answer:
        """A GET with the token."""
        return self.ask("GET", path, query=query)

    def _masked(self, text: str) -> str:
        """A gateway may repeat a header it does not understand, and whoever asks may print that."""
        return text.replace(self.token, "***") if self.token else text

    def _client(self) -> httpx.Client:
        trust = ssl.create_default_context(cafile=self.ca_file)
        return httpx.Client(
            base_url=self.url,
            verify=trust,
            timeout=TIMEOUT_S,
            trust_env=False,
            transport=self.transport,
        )


def deployment(url: str | None, token: str | None, ca_file: Path | None) -> Deployment:
    """What the options name.

    Raises
    ------
    UnreachableError
        If no URL is named and no twin is up.
    """
    if url is not None:
        if not url.startswith("https://"):
            raise UnreachableError(f"--url must begin with https://, was {url!r}")
        return Deployment(url=url.rstrip("/"), token=token or "", ca_file=ca_file)
    places = twin_places()
    return Deployment(
        url=places.api_url,
        places=places,
        token=places.token.read_text(encoding="ascii").strip(),
        ca_file=places.ca,
    )


def twin_places() -> Places:
    """Files and ports of the twin that is up.

    Raises
    ------
    UnreachableError
        If none is.
    """
    places = Places(home=default_home())
    if running_twin(places) is None or not places.status.exists():
        raise UnreachableError("nothing is up: start it with `cts up`, or name one with --url")
    noted = json.loads(places.status.read_text(encoding="utf-8"))
    return Places(home=places.home, ports=Ports(**noted["ports"]))


def at_twin(places: Places) -> None:
    """Let this process's AWS be the twin's, before anything reads the names of tables."""
    from local.stack import STACK, credentials  # boto3, which no other command needs here

    os.environ.update(credentials(places) | {"CTS_TABLE_PREFIX": STACK})
