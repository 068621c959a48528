"""The supervisor's second task: look at what was told, raise alerts, and keep the house clean."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Protocol

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from adapters import accounts
from adapters.monitoring import memory, rollup, rules
from adapters.monitoring.alerts import Alerts, Condition, open_alerts
from adapters.monitoring.entries import Entry
from adapters.monitoring.memory import Memory
from adapters.monitoring.packets import SYSTEM
from adapters.monitoring.rules import Rules
from adapters.tables import ConnectionRow
from engine.errors import CtsError
from engine.ports import Clock

Action = dict[str, str]
TROUBLE = (CtsError, PynamoDBException, ClientError, BotoCoreError)


class Chore(Protocol):
    """Something else to do in each run, within bounds; returns what was done."""

    def __call__(self, remembered: Memory) -> list[Action]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """Trouble with one part, or with one connection, does not keep it from the others."""

    rules: Rules
    alerts: Alerts
    clock: Clock
    log_days: Callable[[], int]
    chores: Sequence[Chore] = field(default=())

    def run(self) -> list[Action]:
        """What was raised, sent and cleaned, and what gave trouble."""
        remembered = memory.recall()
        rows = accounts.connection_rows()
        done = self._guarded("alerts", lambda: self._look(rows, remembered))
        for chore in self.chores:
            done += self._guarded(type(chore).__name__, partial(chore, remembered))
        remembered.beat_ms = self.clock.now_ms()
        memory.keep(remembered)
        return done

    def _look(self, rows: Sequence[ConnectionRow], remembered: Memory) -> list[Action]:
        """Alerts first: a count that is lost is a count, an alarm that is lost may be a position.

        What could not be judged to its end is read again by the next run.
        """
        known = dict(remembered.read_to), dict(remembered.troubles)
        try:
            entries, done = self._judged(rows, remembered)
        except TROUBLE:
            remembered.read_to, remembered.troubles = known
            raise
        days = self.log_days()
        rollup.count_hours(entries, keep_days=days)
        left_out = rollup.count_errors(entries, keep_days=days)
        if left_out:
            done.append(_action("", "left out", f"{left_out} kinds of errors: too many at once"))
        return done

    def _judged(
        self, rows: Sequence[ConnectionRow], remembered: Memory
    ) -> tuple[list[Entry], list[Action]]:
        """What was told since, and what became of the alerts."""
        now_ms = self.clock.now_ms()
        names = [row.connection_id for row in rows]
        entries = rollup.new_entries((SYSTEM, *names), remembered, now_ms=now_ms)
        errors = rollup.note_troubles(entries, remembered, now_ms=now_ms)
        conditions = [*rules.alarms(entries), *rules.too_many_errors(errors)]
        deleted = {row.connection_id or "" for row in open_alerts()} - set(names)
        judged, done = {"", *deleted}, []
        for row in rows:
            judge = partial(self._judge, row, conditions, judged)
            done += self._guarded(row.connection_id, judge)
        merged = _merged(conditions)
        raised = self.alerts.keep(merged, judged=judged, keep_days=self.log_days())
        return entries, [*done, *(_action("", "alert", rule) for rule in raised)]

    def _judge(
        self, row: ConnectionRow, conditions: list[Condition], judged: set[str]
    ) -> list[Action]:
        conditions += self.rules.judge(row)
        judged.add(row.connection_id)
        return []

    def _guarded(self, what: str, act: Callable[[], list[Action]]) -> list[Action]:
        try:
            return act()
        except TROUBLE as error:
            return [_action(what, "trouble", f"{type(error).__name__}: {error}")]


def _merged(conditions: Sequence[Condition]) -> list[Condition]:
    """One for each place: the newest, which counts for all of them."""
    merged: dict[str, Condition] = {}
    for condition in conditions:
        before = merged.pop(condition.place, None)
        count = condition.count + (before.count if before else 0)
        merged[condition.place] = replace(condition, count=count)
    return list(merged.values())


def _action(connection_id: str, act: str, text: str) -> Action:
    return {"connection_id": connection_id, "act": act, "text": text}
