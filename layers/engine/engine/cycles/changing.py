"""New versions of the settings, taken over by a running loop between two of its ticks.

A loop hears of them on the lease row it reads every tick, and asks for them at each burst anyway.
What cannot be read or does not fit is left alone: the loop goes on with what it has.
"""

from collections.abc import Container
from dataclasses import dataclass

from engine.errors import InvalidSettingError, RetryableError
from engine.ports import World
from engine.records import EngineRow, LeaseRow, StoredSettings
from engine.setting import Effect
from engine.settings import taking

AT_A_TICK = frozenset({Effect.NOW, Effect.TICK})
AT_A_BURST = AT_A_TICK | {Effect.BURST}
AGAIN_AFTER_MS = 5_000
"""A table that does not answer is not asked more often than this."""


@dataclass(slots=True)
class Changing:
    """What one burst has heard of newer settings."""

    world: World
    heard: int = -1  # the version on the lease row when the settings were read last
    failed_ms: int = -AGAIN_AFTER_MS

    def at_a_tick(self, engine: EngineRow, row: LeaseRow) -> StoredSettings | None:
        """What to run with from this tick on, None to go on as before."""
        now_ms = self.world.clock.now_ms()
        if row.settings_version == self.heard or now_ms - self.failed_ms < AGAIN_AFTER_MS:
            return None
        return self._wanted(engine, row, AT_A_TICK)

    def at_a_burst(self, engine: EngineRow, row: LeaseRow) -> StoredSettings | None:
        """The same where a burst begins; those of the next engine start are left out as well."""
        return self._wanted(engine, row, AT_A_BURST)

    def _wanted(
        self, engine: EngineRow, row: LeaseRow, effects: Container[Effect]
    ) -> StoredSettings | None:
        try:
            stored = self.world.store.settings(engine.connection_id)
        except (RetryableError, InvalidSettingError) as error:
            self.failed_ms = self.world.clock.now_ms()
            told = {"kept_version": engine.settings_version, "error": str(error)}
            self.world.log.problem("settings not read", told)
            return None
        self.heard = row.settings_version
        settings = taking(engine.settings, stored.settings, effects)
        if settings == engine.settings and stored.version == engine.settings_version:
            return None
        return StoredSettings(settings=settings, version=stored.version)
