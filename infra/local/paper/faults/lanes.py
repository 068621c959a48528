"""Frames under a fault plan: what of them reaches a client, when, and in which order."""

from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from local.paper.core.books import AccountChanged, AlgoChanged, Event, OrderChanged
from local.paper.faults.kinds import PONG
from local.paper.faults.plan import Fault, FaultPlan

REPLY = "reply"
PRIVATE_TOPICS = ("private.order", "private.algo", "private.account", "private.config")
_LONGEST_HOLD_MS = 1_000
_FOR_EVER_MS = 10**15


def private_topic(event: Event) -> str:
    """The topic by which rules know a change of the books."""
    order, algo, account, config = PRIVATE_TOPICS
    match event:
        case OrderChanged():
            return order
        case AlgoChanged():
            return algo
        case AccountChanged():
            return account
        case _:
            return config


def is_ping(text: str) -> bool:
    """Whether a client's frame is one of the venues' own pings."""
    compact = text.replace(" ", "")
    return compact == "ping" or '"op":"ping"' in compact


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """What goes over the line now, and whether that is its end.

    Attributes
    ----------
    code : int
        Close the socket with it after the frames; 0 is off.
    """

    frames: tuple[str, ...] = ()
    code: int = 0
    is_cut: bool = False


@dataclass(slots=True)
class _Held:
    """A frame that waits for its time, or for later frames to go before it."""

    text: str
    until_ms: int
    behind: int = _FOR_EVER_MS


@dataclass(slots=True)
class Lane:
    """The way to one client of a venue."""

    venue: str
    plan: FaultPlan
    _held: list[_Held] = field(default_factory=list)
    _muted: list[tuple[str, int]] = field(default_factory=list)

    def take(self, topic: str, text: str, now_ms: int) -> Passed:
        """A frame sets out; what passes, itself or such as waited for it."""
        if self._is_mute(topic, now_ms):
            return Passed()
        frames, ending = [text], Passed()
        for fault in self.plan.on_frame(self.venue, topic, now_ms):
            frames = self._struck(fault, frames, now_ms)
            ending = _ending(fault) or ending
        if frames:
            frames += self._overtaken()
        return Passed(frames=tuple(frames), code=ending.code, is_cut=ending.is_cut)

    def due(self, now_ms: int) -> tuple[str, ...]:
        """Frames whose time has come."""
        found = [one for one in self._held if one.until_ms <= now_ms]
        self._held = [one for one in self._held if one.until_ms > now_ms]
        return tuple(one.text for one in sorted(found, key=lambda one: one.until_ms))

    def answers_ping(self, now_ms: int) -> bool:
        """Whether a ping of the client gets its pong."""
        return bool(self.take(PONG, "pong", now_ms).frames)

    @property
    def is_busy(self) -> bool:
        """Whether frames wait, or some are silenced."""
        return bool(self._held or self._muted)

    def mute(self, fault: Fault, now_ms: int) -> None:
        """Silence the topics of a fault on this socket."""
        ends_ms = now_ms + (fault.parameters["for_ms"] or _FOR_EVER_MS)
        self._muted.append((fault.rule.topic, ends_ms))

    def _is_mute(self, topic: str, now_ms: int) -> bool:
        return any(
            now_ms < until_ms and fnmatchcase(topic, pattern) for pattern, until_ms in self._muted
        )

    def _struck(self, fault: Fault, frames: list[str], now_ms: int) -> list[str]:
        given = fault.parameters
        match fault.kind:
            case "drop" | "drop_pongs":
                return []
            case "mute":
                self.mute(fault, now_ms)
                return []
            case "duplicate":
                return frames * 2
            case "malformed_frame":
                return [one[: len(one) // 2] for one in frames]
            case "delay_frame":
                self._held += [_Held(one, now_ms + given["by_ms"]) for one in frames]
                return []
            case "reorder":
                hold = now_ms + _LONGEST_HOLD_MS
                self._held += [_Held(one, hold, given["by"]) for one in frames]
                return []
        return frames

    def _overtaken(self) -> list[str]:
        """Frames that have now been overtaken often enough."""
        for one in self._held:
            one.behind -= 1
        found = [one.text for one in self._held if one.behind <= 0]
        self._held = [one for one in self._held if one.behind > 0]
        return found


def _ending(fault: Fault) -> Passed | None:
    if fault.kind == "close":
        return Passed(code=fault.parameters["code"])
    return Passed(is_cut=True) if fault.kind == "abort_socket" else None
