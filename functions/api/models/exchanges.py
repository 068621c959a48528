"""Models of the venues."""

from models.base import Told


class ExchangeTold(Told):
    """A venue: `level` is full, basic or none, `why` says why; marks of ccxt by its own names."""

    name: str
    aliases: list[str]
    level: str
    why: str
    api_types: list[str]
    position_modes: list[str]
    streams: bool
    needs_passphrase: bool
    tested_on_wires: list[str]
    ccxt_id: str
    test_net: bool
    methods: dict[str, bool]
    orders: dict[str, bool]


class ExchangesAnswer(Told):
    """Every venue there is, supported or not."""

    success: bool = True
    count: int
    exchanges: list[ExchangeTold]
