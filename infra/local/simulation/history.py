"""What happened, when, and to whom: readable, and equal for equal seeds."""

import hashlib
from collections import Counter
from dataclasses import dataclass, field

from local.simulation.stage import Stage


@dataclass(slots=True)
class Strike:
    """A fault that struck: what, at which step of the order path, and to which order if to one."""

    at_us: int
    fault: str
    step: str
    client_order_id: str = ""


@dataclass(slots=True)
class History:
    """Everything told, in the order it happened."""

    stage: Stage
    lines: list[tuple[int, str, str]] = field(default_factory=list)
    strikes: list[Strike] = field(default_factory=list)
    struck_us: int = -(10**12)
    broken: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def tell(self, who: str, what: str) -> None:
        self.lines.append((self.stage.now_us, who, what))

    def strike(self, who: str, fault: str, step: str, client_order_id: str = "") -> None:
        """Note a fault; the time after it is not called fault-free."""
        self.struck_us = max(self.struck_us, self.stage.now_us)
        self.strikes.append(Strike(self.stage.now_us, fault, step, client_order_id))
        self.tell(who, f"FAULT {fault} at {step} {client_order_id}".rstrip())

    def break_rule(self, what: str) -> None:
        """A rule of the protocol was broken, whatever came of it."""
        self.broken.append(what)
        self.tell("watch", f"BROKEN {what}")

    def disturbed_until(self, at_us: int) -> None:
        """A disturbance goes on until then."""
        self.struck_us = max(self.struck_us, at_us)

    def text(self) -> list[str]:
        """One line each: seconds, who, what."""
        return [f"{at_us / 1e6:10.3f} {who:<12} {what}" for at_us, who, what in self.lines]

    def digest(self) -> str:
        """Equal for histories that are equal to the last letter."""
        return hashlib.blake2b("\n".join(self.text()).encode(), digest_size=12).hexdigest()
