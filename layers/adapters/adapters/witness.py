"""Whether the private stream tells what the venue, asked by REST, knows of our orders.

A venue can answer pings and log-ins on a line whose publisher has died. Then only the answers to
other questions show that something happened of which the line said nothing.
"""

from collections import OrderedDict
from collections.abc import Iterable

from engine.events import OrderUpdate
from engine.ledger import Fill
from engine.orders import is_ours
from engine.ports import Clock

PATIENCE_MS = 3_000
_CLOCKS_MS = 1_000  # two clocks may differ by so much
_REMEMBERED = 2_000


class Witness:
    """Compares what both sides said was filled, by the names of our orders."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._streamed: OrderedDict[str, None] = OrderedDict()
        self._doubts: dict[str, tuple[int, int]] = {}  # name -> heard by REST, filled at

    def rest_told(self, news: Iterable[OrderUpdate | Fill]) -> None:
        """Note what an answer says was filled, unless the stream said so before."""
        now_ms = self._clock.now_ms()
        for name, filled_ms in _filled(news):
            if name not in self._streamed:
                self._doubts.setdefault(name, (now_ms, filled_ms or now_ms))

    def stream_told(self, news: Iterable[OrderUpdate | Fill]) -> None:
        """Note what the stream says was filled."""
        for name, _ in _filled(news):
            self._streamed[name] = None
            self._doubts.pop(name, None)
        while len(self._streamed) > _REMEMBERED:
            self._streamed.popitem(last=False)

    def unheard(self, live_since_ms: int) -> str:
        """Our order that was filled while the stream was live and said nothing; else empty.

        What was filled before is for whoever asks after a break, and is forgotten here.
        """
        now_ms = self._clock.now_ms()
        for name, (heard_ms, filled_ms) in list(self._doubts.items()):
            if not live_since_ms or filled_ms < live_since_ms + _CLOCKS_MS:
                del self._doubts[name]
            elif now_ms - heard_ms > PATIENCE_MS:
                self._doubts.clear()
                return name
        return ""


def _filled(news: Iterable[OrderUpdate | Fill]) -> Iterable[tuple[str, int]]:
    """Names of our orders of which something was filled, and when."""
    for each in news:
        if isinstance(each, Fill):
            filled, at_ms = True, each.executed_at_ms
        else:
            filled, at_ms = each.filled_quantity > 0, each.at_ms
        if filled and is_ours(each.client_order_id):
            yield each.client_order_id, at_ms
