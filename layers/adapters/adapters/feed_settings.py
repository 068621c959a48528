"""How a feed behaves."""

from dataclasses import dataclass, field

from adapters.pacing import Pace
from adapters.streams import Patience


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedSettings:
    """How a feed behaves; without `stream` every price comes from polling."""

    stream: bool = True
    poll_ms: int = 250  # for the loop that guards positions
    slow_poll_ms: int = 500  # for the one that only needs candles
    proof_ms: int = 300
    answer_ms: int = 500
    rebuild_share: float = 0.5
    rebuild_ms: int = 15_000  # a longer outage is bridged by samples alone
    shed_ms: int = 2_000  # what is read later than this says nothing of the present
    patience: Patience = field(default_factory=Patience)
    pace: Pace = field(default_factory=Pace)
