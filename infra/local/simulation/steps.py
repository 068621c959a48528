"""Which step of the order path a request belongs to: told by the dialect's method that makes it."""

from contextvars import ContextVar
from dataclasses import dataclass
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any

from adapters.venues import Dialect
from engine.ledger import Order


@dataclass(frozen=True, slots=True)
class Step:
    """A method of the dialect, and the order it is about, if it is about one."""

    name: str = "clock"
    client_order_id: str = ""


CLOCK = Step()
STEP: ContextVar[Step | None] = ContextVar("step", default=None)


def stepped(dialect: Dialect) -> Dialect:
    """The dialect, whose requests from now on tell what they are for; it says the same."""
    spoken = type(dialect)
    names = (name for name in dir(spoken) if not name.startswith("_"))
    told = {
        name: _told(name, member)
        for name in names
        if iscoroutinefunction(member := getattr(spoken, name))
    }
    dialect.__class__ = type(spoken.__name__, (spoken,), told)
    return dialect


def _told(name: str, method: Any) -> Any:
    @wraps(method)
    async def told(*args: Any, **kwargs: Any) -> Any:
        before = STEP.get()
        if before is not None:  # part of a larger step
            return await method(*args, **kwargs)
        named = next((a.client_order_id for a in args if isinstance(a, Order)), "")
        STEP.set(Step(name, named))
        try:
            return await method(*args, **kwargs)
        finally:
            STEP.set(before)

    return told
