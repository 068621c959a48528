"""The fault plan: rules, a seed, and what has struck so far.

Same seed, same rules and same sequence of calls give the same strikes: the plan knows no clock and
draws each number from its address (seed, rule, match).
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from local.paper.faults.kinds import CONNECT, PONG, Where
from local.paper.faults.rules import Rule
from local.paper.market import noise

_SCALE = 1 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One strike of a rule.

    Attributes
    ----------
    number : int
        Which strike of its rule this is, from 1.
    until_ms : int
        When a ban, a limit or maintenance ends; else no later than the strike.
    draw : float
        Of its own in [0, 1), for what the fault leaves open.
    """

    rule: Rule
    number: int
    until_ms: int
    draw: float

    @property
    def kind(self) -> str:
        return self.rule.fault

    @property
    def parameters(self) -> Mapping[str, Any]:
        return self.rule.parameters


@dataclass(slots=True)
class _Track:
    """A rule and what it has done."""

    rule: Rule
    key: int
    matched: int = 0
    strikes: int = 0
    while_lasting: int = 0
    until_ms: int = -1
    left: dict[str, int] = field(default_factory=dict)

    def meets(self, venue: str, subject: str, now_ms: int, named: str) -> bool:
        rule = self.rule
        if "times" in rule.parameters and not named:
            return False
        pattern = rule.topic if rule.where is Where.SOCKET else rule.route
        return (
            rule.from_ms <= now_ms < rule.until_ms
            and fnmatchcase(venue, rule.venue)
            and _fits(subject, rule.kind.topic, pattern)
        )

    def is_first_for(self, venue: str) -> bool:
        """Whether a moment comes to a venue of the rule for the first time."""
        if venue in self.left or not fnmatchcase(venue, self.rule.venue):
            return False
        self.left[venue] = 0
        self.matched += 1
        return True

    def strike(self, named: str, now_ms: int) -> Fault | None:
        """The fault for a match, if it strikes this time."""
        if now_ms < self.until_ms:
            self.while_lasting += 1
            return self._fault(self.until_ms)
        if self.left.get(named, 0) > 0:
            self.left[named] -= 1
            return self.struck(now_ms)
        if self.rule.most and self.strikes >= self.rule.most:
            return None
        self.matched += 1
        if named in self.left or not self._chosen():
            return None
        if "times" in self.rule.parameters:
            self.left[named] = self.rule.parameters["times"] - 1
        return self.struck(now_ms)

    def _chosen(self) -> bool:
        rule, match = self.rule, self.matched
        if rule.nth:
            return match == rule.nth
        if rule.every:
            return match % rule.every == 0
        return noise.whole(self.key, 2 * match, _SCALE) < rule.chance * _SCALE

    def struck(self, now_ms: int) -> Fault:
        """Count a strike."""
        self.strikes += 1
        parameters = self.rule.parameters
        if self.rule.where is Where.REST and "for_ms" in parameters:
            self.until_ms = now_ms + parameters["for_ms"]
        return self._fault(max(self.until_ms, now_ms + parameters.get("retry_after_ms", 0)))

    def _fault(self, until_ms: int) -> Fault:
        draw = noise.whole(self.key, 2 * self.strikes + 1, _SCALE) / _SCALE
        return Fault(rule=self.rule, number=self.strikes, until_ms=until_ms, draw=draw)


class FaultPlan:
    """Rules by where they strike; every call is a match to count."""

    def __init__(self, seed: int, rules: Iterable[Rule] = ()) -> None:
        self.seed = seed
        self._tracks: list[_Track] = []
        self.add(rules)

    def add(self, rules: Iterable[Rule]) -> None:
        """Further rules, behind those there are."""
        for rule in rules:
            self._tracks.append(_Track(rule, noise.key_of(self.seed, "fault", len(self._tracks))))

    def clear(self, seed: int | None = None) -> None:
        """Forget every rule and count; what it did to the books stays done."""
        self._tracks.clear()
        self.seed = self.seed if seed is None else seed

    def strikes_at(self, where: Where) -> bool:
        """Whether any rule is about that place."""
        return any(one.rule.where is where for one in self._tracks)

    def on_request(
        self, venue: str, method: str, path: str, now_ms: int, *, named: str = ""
    ) -> tuple[Fault, ...]:
        """Faults of a request, in the rules' order; `named` is the order it asks for, if any.

        Without that `not_found_for` does not strike.
        """
        return self._struck(Where.REST, venue, f"{method} {path}", now_ms, named)

    def on_books(self, venue: str, method: str, path: str, now_ms: int) -> tuple[Fault, ...]:
        """Faults of the books that come with a request that is carried out."""
        return self._struck(Where.BOOK, venue, f"{method} {path}", now_ms)

    def on_frame(self, venue: str, topic: str, now_ms: int) -> tuple[Fault, ...]:
        """Faults of a frame, of a pong or (topic `connect`) of an opening socket."""
        return self._struck(Where.SOCKET, venue, topic, now_ms)

    def due(self, venue: str, now_ms: int) -> tuple[Fault, ...]:
        """Faults of the books whose moment has come, each told once a venue."""
        found = []
        for track in self._tracks:
            if 0 < track.rule.at_ms <= now_ms and track.is_first_for(venue):
                found.append(track.struck(now_ms))
        return tuple(found)

    def report(self) -> list[dict[str, Any]]:
        """Every rule with how often it matched and struck.

        `while_lasting` counts what came during a ban, maintenance or silence it had begun.
        """
        return [
            asdict(one.rule)
            | {"where": one.rule.where.value, "matched": one.matched, "strikes": one.strikes}
            | {"while_lasting": one.while_lasting}
            for one in self._tracks
        ]

    def _struck(
        self, where: Where, venue: str, subject: str, now_ms: int, named: str = ""
    ) -> tuple[Fault, ...]:
        here = [one for one in self._tracks if one.rule.where is where and not one.rule.at_ms]
        found = [
            one.strike(named, now_ms) for one in here if one.meets(venue, subject, now_ms, named)
        ]
        return tuple(one for one in found if one is not None)


def _fits(subject: str, only: str, pattern: str) -> bool:
    """A kind that strikes one thing meets that alone, and no other kind meets it."""
    if only or subject in (CONNECT, PONG):
        return subject == only
    return fnmatchcase(subject, pattern)
