"""Where the API is and how to be let in: environment first, then `.cts/` above the notebook."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

DEFAULT_URL = "https://127.0.0.1:8443"
TOKEN_FILE = Path(".cts/token")
CA_FILE = Path(".cts/ca.pem")


class SetupError(Exception):
    """The console cannot call the API yet: a file is missing or a setting is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """The API's base URL, the file with the bearer token and the file with its authority.

    Without a `ca_file` the machine's own authorities are trusted, as for the API on AWS.
    The token itself is never held here, so no representation can show it.
    """

    url: str
    token_file: Path
    ca_file: Path | None

    def token(self) -> str:
        """The bearer token, read now, so that a renewed one is taken up.

        Raises
        ------
        SetupError
            If the file cannot be read or is empty.
        """
        try:
            token = self.token_file.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError):
            raise SetupError(f"the token file {self.token_file} cannot be read") from None
        if not token:
            raise SetupError(f"the token file {self.token_file} is empty")
        return token


def find_address(environment: Mapping[str, str] = os.environ, start: Path | None = None) -> Address:
    """Read `CTS_API_URL`, `CTS_TOKEN_FILE` and `CTS_CA_FILE`; look for files from `start` upward.

    Raises
    ------
    SetupError
        If the URL is not an https address.
    """
    url = environment.get("CTS_API_URL", DEFAULT_URL).rstrip("/")
    if not url.startswith("https://"):
        raise SetupError(f"CTS_API_URL must begin with https://, was {url!r}")
    here = start or Path.cwd()
    local = "CTS_API_URL" not in environment or "CTS_CA_FILE" in environment
    return Address(
        url=url,
        token_file=_above(here, Path(environment.get("CTS_TOKEN_FILE", TOKEN_FILE))),
        ca_file=_above(here, Path(environment.get("CTS_CA_FILE", CA_FILE))) if local else None,
    )


def _above(here: Path, wanted: Path) -> Path:
    """`wanted` in `here` or the nearest folder above that has it; else where it would be."""
    if wanted.is_absolute():
        return wanted
    found = (folder / wanted for folder in (here, *here.parents) if (folder / wanted).exists())
    return next(found, here / wanted)
