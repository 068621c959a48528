"""Instruments as a row holds them."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from decimal import Decimal
from functools import lru_cache

from pynamodb.attributes import Attribute
from pynamodb.constants import STRING

from engine.values import Instrument

REMEMBERED = 8


class InstrumentsAttribute(Attribute[tuple[Instrument, ...]]):
    """Instruments as JSON, decimals as text; of the same text they are made once."""

    attr_type = STRING

    def serialize(self, value: Sequence[Instrument]) -> str:
        """The text of the instruments."""
        return json.dumps(
            [
                {name: str(v) if isinstance(v, Decimal) else v for name, v in asdict(one).items()}
                for one in value
            ]
        )

    def deserialize(self, value: str) -> tuple[Instrument, ...]:
        """The instruments that `serialize` wrote."""
        return _made(value)


@lru_cache(maxsize=REMEMBERED)
def _made(text: str) -> tuple[Instrument, ...]:
    return tuple(
        Instrument(
            symbol=one["symbol"],
            base=one["base"],
            quote=one["quote"],
            price_tick=Decimal(one["price_tick"]),
            quantity_step=Decimal(one["quantity_step"]),
            min_quantity=Decimal(one["min_quantity"]),
            max_quantity=Decimal(one["max_quantity"]),
            min_notional=Decimal(one["min_notional"]),
            max_leverage=one["max_leverage"],
            volume_24h_quote=Decimal(one["volume_24h_quote"]),
            is_spot=one.get("is_spot", False),
            max_stops=one.get("max_stops", 0),
        )
        for one in json.loads(text)
    )
