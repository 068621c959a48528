"""What the figures must be."""

from collections.abc import Mapping
from dataclasses import dataclass

EVERY_TIME = ("j1", "j2", "j3", "growth", "feed", "orders", "api")
PARTS = (*EVERY_TIME, "load")
"""The last starts a twin of its own, for minutes, and is measured when it is asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A figure and its bound: at most, or with `at_least`, at least."""

    figure: str
    bound: float
    at_least: bool = False

    def holds(self, value: object) -> bool:
        """Whether a figure meets it; one that could not be measured does not."""
        if not isinstance(value, int | float):
            return False
        return value >= self.bound if self.at_least else value <= self.bound


TARGETS = (
    Target(figure="j1_ms", bound=10),
    Target(figure="j2_100k_ms", bound=3),
    Target(figure="j2_1m_ms", bound=50),
    Target(figure="j3_config_bars_per_s", bound=1e9, at_least=True),
    Target(figure="j3_vs_vectorbt_single", bound=50, at_least=True),
    Target(figure="j3_vs_vectorbt_batched", bound=100, at_least=True),
    Target(figure="trades_equal", bound=True, at_least=True),
    Target(figure="api_worst_p95_ms", bound=20),
    Target(figure="feed_median_streamed", bound=0.95, at_least=True),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A figure beside its target."""

    target: Target
    value: object

    @property
    def holds(self) -> bool:
        """Whether the target is met."""
        return self.target.holds(self.value)

    @property
    def line(self) -> tuple[object, ...]:
        """For a table."""
        bound = self.target.bound
        sign = ">=" if self.target.at_least else "<="
        wanted = "yes" if isinstance(bound, bool) else f"{sign} {bound:,.4g}"
        shown = "not measured" if self.value is None else self.value
        return self.target.figure, shown, wanted, "holds" if self.holds else "MISSED"


def verdicts(figures: Mapping[str, object]) -> list[Verdict]:
    """Of the figures there are."""
    return [
        Verdict(target=target, value=figures[target.figure])
        for target in TARGETS
        if target.figure in figures
    ]
