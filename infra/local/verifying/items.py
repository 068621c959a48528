"""What an item of the checklist is, what it finds, and what helps where it fails."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from local.deployment import Deployment, UnreachableError


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Whether an item holds, and what was seen."""

    holds: bool
    seen: str


@dataclass(slots=True, kw_only=True)
class Visit:
    """One look at a deployment: who is asked, how time passes, and what was read already."""

    api: Deployment
    pause: Callable[[float], None]
    connections: list[Mapping[str, Any]] = field(default_factory=list)
    engines: list[Mapping[str, Any]] = field(default_factory=list)

    def read(self, path: str, **query: str) -> Mapping[str, Any]:
        """The body of a GET that must be answered.

        Raises
        ------
        UnreachableError
            If it is refused, with the API's own words.
        """
        answer = self.api.get(path, **query)
        if answer.status != 200:
            raise UnreachableError(f"GET {path} answered {answer.status}: {answer.error}")
        return answer.body

    def refresh(self) -> None:
        """Read connections and engines anew."""
        self.connections = self.read("/api/settings/connections")["connections"]
        self.engines = self.read("/api/trade-engine/status")["connections"]

    def running(self) -> list[Mapping[str, Any]]:
        """The engines that run."""
        return [engine for engine in self.engines if engine["running"]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A line of the checklist; `look` may raise UnreachableError, which fails it."""

    name: str
    look: Callable[[Visit], Finding]
    hints: Sequence[str]


def looked(item: Item, visit: Visit) -> Finding:
    """What the item finds; a part that does not answer is a finding, too."""
    try:
        return item.look(visit)
    except UnreachableError as error:
        return Finding(holds=False, seen=str(error))
