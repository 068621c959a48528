"""Which venue answers to a host name, and which names a certificate must carry for that."""

from collections.abc import Sequence

from local.paper.wire import VenueWire

_LOCAL = "localhost"


class Hosts:
    """Venues by host name: the whole name first, then the longest ending that fits."""

    def __init__(self, wires: Sequence[VenueWire]) -> None:
        self._first = wires[0]
        self._by_name = {host: wire for wire in wires for host in wire.hosts}
        endings = (host for host in self._by_name if host.startswith("."))
        self._endings = sorted(endings, key=len, reverse=True)

    def wire(self, host: str) -> VenueWire:
        """The venue of a `Host` header, port and case aside; the first one for any other name."""
        name = host.lower().partition(":")[0]
        if name in self._by_name:
            return self._by_name[name]
        fits = (ending for ending in self._endings if name.endswith(ending))
        return self._by_name.get(next(fits, ""), self._first)

    def certified(self) -> tuple[str, ...]:
        """Names for a certificate; an ending becomes the bare name and its wildcard."""
        names = {_LOCAL}
        for host in self._by_name:
            names |= {host.removeprefix("."), f"*{host}"} if host.startswith(".") else {host}
        return tuple(sorted(names))
