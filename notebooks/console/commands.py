"""What an operator may command, what is asked before, and what is sent."""

from dataclasses import dataclass

from console.figures import price
from console.state import Screen

REASON = "from the console"


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command; with a `question` it waits for a second click.

    `{name}`, `{held}` and `{position}` in the question are the engine, how many positions are open
    and the one meant. The box beside it, `tick`, is sent as `sends`.
    """

    question: str = ""
    confirm: str = ""
    keep: str = ""
    tick: str = ""
    hint: str = ""
    sends: str = ""
    ticked: bool = False


COMMANDS = {
    "start": Command(),
    "pause": Command(),
    "resume": Command(),
    "stop": Command(
        question="Stop {name}?",
        confirm="\u25a0 Stop it",
        keep="Keep running",
        tick="close positions",
        hint="Otherwise they stay open, guarded by their stops at the exchange",
        sends="closePositions",
    ),
    "emergency": Command(
        question="EMERGENCY STOP of {name}, {held} open?",
        confirm="\u25a0 STOP EVERYTHING",
        keep="No",
        tick="close all positions",
        hint="Otherwise each keeps its stop, and only what could still open is cancelled",
        sends="flatten",
        ticked=True,
    ),
    "reset": Command(
        question="Lift the emergency stop of {name}?",
        confirm="Lift it",
        keep="No",
        tick="accept open positions",
        hint="Otherwise it stays until the exchange has proved that nothing is left",
        sends="acceptOpenPositions",
    ),
    "close": Command(question="Close {position}?", confirm="Close it", keep="No"),
    "close-all": Command(question="Close all, {held} open?", confirm="Close all", keep="No"),
    "close-profitable": Command(
        question="Close what gains, fees paid?", confirm="Close those", keep="No"
    ),
}


def body_of(asked: str, screen: Screen) -> tuple[str, str, dict[str, str | bool]]:
    """The route, the position it is for, and what is sent."""
    name, _, position_id = asked.partition(":")
    command, choice = COMMANDS[name], screen.choice
    body: dict[str, str | bool] = {"reason": REASON}
    if name != "close":
        body["connectionId"] = choice.connection_id
    if command.sends:
        body[command.sends] = choice.ticked
    return name, position_id, body


def question(asked: str, screen: Screen) -> str:
    """The question in words; names what would be hit."""
    name, _, position_id = asked.partition(":")
    held = screen.positions
    meant = next((one for one in held if one.id == position_id), None)
    position = f"{meant.side} {meant.symbol} {price(meant.quantity)}" if meant else "this position"
    count = f"{len(held)} position{'' if len(held) == 1 else 's'}"
    engine = screen.engine.name if screen.engine else ""
    return COMMANDS[name].question.format(name=engine, held=count, position=position)
