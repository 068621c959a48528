"""An HTTP session for which every host is the paper exchange, and no packet leaves the machine."""

import socket
import ssl

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from adapters.access import PaperAddress


class _EveryHostIs(AbstractResolver):
    def __init__(self, paper: PaperAddress) -> None:
        self._paper = paper

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        del port, family
        return [
            ResolveResult(
                hostname=host,
                host=self._paper.host,
                port=self._paper.port,
                family=socket.AF_INET6 if ":" in self._paper.host else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
        ]

    async def close(self) -> None:
        """Nothing is held."""


def loopback_session(paper: PaperAddress) -> aiohttp.ClientSession:
    """A session that trusts the paper exchange's authority and nothing else.

    A live venue could not even be reached by mistake: its certificate would not verify.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cafile=str(paper.ca_file))
    connector = aiohttp.TCPConnector(resolver=_EveryHostIs(paper), ssl=context, use_dns_cache=False)
    return aiohttp.ClientSession(connector=connector)
