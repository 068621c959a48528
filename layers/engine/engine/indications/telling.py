"""A reason as data, and in words."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.indications.filters import Floats, Verdict
from engine.indications.quantities import WORDINGS, Quantity
from engine.indications.slots import Slot
from engine.market import Ints

REASON = np.dtype(
    [
        ("symbol", np.int64),
        ("slot", np.int64),
        ("verdict", np.int8),  # Verdict
        ("quantity", np.int8),  # Quantity
        ("found", np.float64),
        ("needed", np.float64),
    ]
)
"""What became of a slot of a symbol, and the number it was decided on."""

_VERDICTS = {
    Verdict.SIGNAL: "signal",
    Verdict.DISABLED: "switched off",
    Verdict.WARMING: "warming up",
    Verdict.INACTIVE: "the market is not active",
    Verdict.NO_LEG: "no leg",
    Verdict.DRAWDOWN: "too deep a drawdown",
    Verdict.MARKET_CHANGE: "too slow a market change",
    Verdict.LAST_PART: "too slow a last part",
    Verdict.DISAGREEMENT: "another indication disagrees",
    Verdict.VALIDATION: "validated a short time ago",
}


def sentence(reason: Any, symbol: str, slot: Slot) -> str:
    """A reason in plain words: what became of the slot, what was found, what is needed."""
    verdict, quantity = Verdict(int(reason["verdict"])), Quantity(int(reason["quantity"]))
    tuned = f" {slot.variant.text}" if slot.variant.text else ""
    what = f"{symbol} {slot.indication} {slot.parameter}{tuned} {slot.side}"
    wording = WORDINGS[quantity]
    unit = f" {wording.unit}" if wording.unit else ""
    found, needed = (f"{float(reason[name]):.6g}{unit}" for name in ("found", "needed"))
    return (
        f"{what}: {_VERDICTS[verdict]}; {wording.name} was {found}, {wording.relation} {needed}"
        " is needed"
    )


def write(
    sheet: NDArray[np.void],
    where: tuple[Any, Any],
    verdict: Ints | Verdict,
    quantity: Ints | Quantity,
    found: Floats | float,
    needed: Floats | float,
) -> None:
    """Fill in these reasons of a sheet."""
    values = {"verdict": verdict, "quantity": quantity, "found": found, "needed": needed}
    for name, value in values.items():
        sheet[name][where] = value
