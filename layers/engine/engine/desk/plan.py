"""One tick of the position side."""

from engine.desk.absorbing import absorb, seal
from engine.desk.adding import add_steps
from engine.desk.book import Book
from engine.desk.doubting import doubt_symbols
from engine.desk.finishing import finished, forget
from engine.desk.guarding import guard, sweep
from engine.desk.halting import halt, note_reading
from engine.desk.obeying import obey
from engine.desk.opening import note_commands, open_wishes
from engine.desk.resolving import ask, is_idle, resolve
from engine.desk.state import DeskInputs, DeskPlan, DeskState
from engine.desk.turning import turn
from engine.desk.watching import watch
from engine.settings import Settings

KEPT_MS = 600_000  # closed positions and fills of others are remembered this long


def plan_positions(
    state: DeskState, inputs: DeskInputs, settings: Settings
) -> tuple[DeskState, DeskPlan]:
    """What the position loop does now, and what it remembers once that is written.

    Pure: equal arguments give equal plans. Events first, then commands that close, then each
    position (exit before protection), the account's risk, then steps and wishes; questions last. If
    the plan's facts could not be written, the old state and the same events must be used again.
    """
    book = Book(state, inputs, settings)
    seal(book)
    absorb(book)
    note_commands(book)
    obey(book)
    turn(book)
    halt(book)
    for position_id in sorted(book.positions):
        guard(book, position_id)
    sweep(book)
    watch(book)
    doubt_symbols(book)
    add_steps(book)
    open_wishes(book)
    resolve(book)
    note_reading(book)
    ask(book)
    forget(book, max(KEPT_MS, settings.position_cooldown_s * 1000))
    return finished(book, idle=is_idle(book))
