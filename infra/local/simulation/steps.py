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


class Stepped:
    """A dialect whose requests tell what they are for; it says and reads the same."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._dialect, name)
        if not iscoroutinefunction(member):
            self.__dict__[name] = member
            return member

        @wraps(member)
        async def told(*args: Any, **kwargs: Any) -> Any:
            named = next((a.client_order_id for a in args if isinstance(a, Order)), "")
            before = STEP.get()
            STEP.set(Step(name, named))
            try:
                return await member(*args, **kwargs)
            finally:
                STEP.set(before)

        self.__dict__[name] = told
        return told
