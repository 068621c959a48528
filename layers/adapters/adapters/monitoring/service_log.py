"""What a service tells: as lines of JSON for CloudWatch, and as entries an operator can ask for."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache

from aws_lambda_powertools import Logger

from adapters.clock import SystemClock
from adapters.monitoring.entries import (
    Category,
    Entry,
    Level,
    category_of,
    level_of,
    safe_values,
)
from adapters.monitoring.keeping import log_days
from adapters.monitoring.packets import write_packet
from adapters.monitoring.recorder import Recorder, kept_for
from engine.errors import LeaseLostError, RetryableError
from engine.ports import Clock

CATEGORIES = {"api": Category.API, "supervisor": Category.SYSTEM}
ROWS_A_MINUTE = {"supervisor": 60}  # it speaks for every connection


class ServiceLog:
    """`engine.ports.Log` of one service; whose entries are kept if there is a recorder."""

    def __init__(
        self, service: str, recorder: Recorder | None = None, clock: Clock | None = None
    ) -> None:
        self._logger = Logger(service=service)
        self._recorder = recorder
        self._clock = clock or SystemClock()
        self._category = CATEGORIES.get(service, Category.TRADE_ENGINE)
        self._connection_id = self._correlation_id = ""

    def fact(self, name: str, values: Mapping[str, object]) -> None:
        self._logger.info(name, facts=dict(values))
        self.note(level_of(name, is_problem=False), name, values)

    def problem(self, name: str, values: Mapping[str, object]) -> None:
        self._logger.error(name, facts=dict(values))
        self.note(level_of(name, is_problem=True), name, values, needs_eyes=True)

    @contextmanager
    def of(self, connection_id: str, correlation_id: str) -> Iterator[None]:
        """Entries inside belong to this connection and burst or run; their end stores them.

        An error that leaves the block is told and goes on.
        """
        self._connection_id, self._correlation_id = connection_id, correlation_id
        try:
            yield
        except Exception as error:
            is_usual = isinstance(error, (LeaseLostError, RetryableError))  # the next one goes on
            values = {"error": type(error).__name__, "text": str(error)}
            level = Level.WARN if is_usual else Level.ERROR
            self.note(level, "run failed", values, needs_eyes=not is_usual)
            raise
        finally:
            self._connection_id = self._correlation_id = ""
            self.flush()

    def flush(self) -> None:
        """Store what waits, as far as the limits allow."""
        if self._recorder is not None:
            self._recorder.flush()

    def note(
        self,
        level: Level,
        name: str,
        values: Mapping[str, object],
        *,
        category: Category | None = None,
        connection_id: str = "",
        correlation_id: str = "",
        needs_eyes: bool = False,
    ) -> None:
        """Keep an entry that a line of JSON tells of already."""
        if self._recorder is None:
            return
        self._recorder.add(
            Entry(
                at_ms=self._clock.now_ms(),
                level=level,
                category=category or category_of(name, self._category),
                message=name,
                values=safe_values(values),
                connection_id=connection_id or self._connection_id,
                correlation_id=correlation_id or self._correlation_id,
                needs_eyes=needs_eyes,
            )
        )


@cache
def live_log(service: str) -> ServiceLog:
    """The log of a service of this deployment, made once in a container."""
    clock = SystemClock()
    recorder = Recorder(
        kept_for(log_days(clock), write_packet),
        clock,
        rows_a_minute=ROWS_A_MINUTE.get(service, 6),
    )
    return ServiceLog(service, recorder, clock)
