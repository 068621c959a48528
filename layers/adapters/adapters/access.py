"""Which account on which network, and the wall between paper, testnet and live."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from engine.errors import RefusedError


class Network(StrEnum):
    """Where orders end up: our own exchange, the venue's play money, or real money."""

    PAPER = "paper"
    TESTNET = "testnet"
    LIVE = "live"


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperAddress:
    """Where the paper exchange listens, and the certificate authority it proves itself with."""

    host: str
    port: int
    ca_file: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """An account as the adapters need it; its secrets show in no text.

    Raises
    ------
    RefusedError
        If a paper connection has no paper exchange, or any other one has.
    """

    venue: str
    network: Network
    api_key: str = field(default="", repr=False)
    api_secret: str = field(default="", repr=False)
    api_passphrase: str = field(default="", repr=False)
    paper: PaperAddress | None = None

    def __post_init__(self) -> None:
        if self.network is Network.PAPER and self.paper is None:
            raise RefusedError(
                "a paper connection needs the paper exchange: set CTS_PAPER_ADDRESS (host:port) "
                "and CTS_PAPER_CA (its ca.pem)"
            )
        if self.network is not Network.PAPER and self.paper is not None:
            raise RefusedError(
                f"a {self.network} connection must not be given the address of a paper exchange"
            )

    def hide(self, text: str) -> str:
        """What a venue said, without secrets of this account that it may have repeated."""
        for secret in (self.api_secret, self.api_passphrase, self.api_key):
            text = text.replace(secret, "***") if secret else text
        return text


def paper_address(environ: Mapping[str, str]) -> PaperAddress | None:
    """The paper exchange named by CTS_PAPER_ADDRESS and CTS_PAPER_CA, or None.

    Raises
    ------
    RefusedError
        If the address is not host:port of this machine, or the certificate file is missing.
    """
    address = environ.get("CTS_PAPER_ADDRESS", "")
    if not address:
        return None
    host, _, port = address.rpartition(":")
    if host not in ("127.0.0.1", "::1") or not port.isdigit():
        raise RefusedError(f"CTS_PAPER_ADDRESS must be 127.0.0.1:port or ::1:port, was {address!r}")
    ca_file = Path(environ.get("CTS_PAPER_CA", ""))
    if not ca_file.is_file():
        raise RefusedError(f"CTS_PAPER_CA must name the paper exchange's ca.pem, was {ca_file}")
    return PaperAddress(host=host, port=int(port), ca_file=ca_file)
