"""The bar that is always in sight: how real the money is, what the engine does, how old that is."""

from console.elements import Element, block, button, span
from console.figures import UNKNOWN, age, words
from console.models import Connection, Engine, LoopState
from console.panels.controls import controls
from console.panels.frame import nothing
from console.state import Screen

_DATA_LATE_MS = 3_000
_STATE_KINDS = {
    "running": "good",
    "stopped": "faint",
    "idle": "faint",
    "error": "bad",
    "emergency_stopped": "bad",
}


def safety_panel(screen: Screen) -> Element:
    """One line for the chosen engine, its loading progress and its last error below."""
    engine = screen.engine
    if engine is None:
        line = block(span("CTS", "badge unknown"), _absent(screen), kind="line")
        return block(line, kind="safety", of="safety")
    stale = screen.status.is_stale(screen.now_ms)
    facts = block(
        _state(engine),
        _loop("Trade loop", "1.0 s", engine.trade_loop),
        _loop("Position loop", "0.3 s", engine.position_loop),
        _data_age(engine, screen),
        _api(screen),
        kind="facts",
    )
    line = block(
        _badge(screen.connection), _name(engine, screen), facts, controls(screen), kind="line"
    )
    kind = "safety stale" if stale else "safety"
    return block(line, *_progress(engine), *_problems(engine, screen), kind=kind, of="safety")


def _absent(screen: Screen) -> Element:
    if screen.status.value is None:
        why = screen.status.problem or "asking\u2026"
        return nothing("Waiting for the API: is CTS up?", why)
    return nothing("No connections yet: create one through the API")


def _badge(connection: Connection | None) -> Element:
    """Colour and word together, so that neither needs the other."""
    if connection is None:
        hint = "Whether this account is real is not known yet"
        return span("UNKNOWN", "badge unknown", hint=hint, of="badge")
    if connection.is_paper:
        return span("PAPER", "badge paper", hint="Play money on the paper exchange", of="badge")
    if connection.is_testnet:
        return span("TESTNET", "badge testnet", hint="Play money on a testnet", of="badge")
    return span("LIVE", "badge live", hint="Real money", of="badge")


def _name(engine: Engine, screen: Screen) -> Element:
    others = screen.status.value.connections if screen.status.value else []
    title = span(engine.name, "name", of="connection")
    place = span(engine.exchange, "faint")
    if len(others) < 2:
        return block(title, place, kind="connection")
    turn = button("\u21c4", "next-connection", hint=f"Turn to the next of {len(others)} engines")
    return block(title, place, turn, kind="connection")


def _fact(label: str, value: str, kind: str, detail: str, hint: str, of: str) -> Element:
    parts = (span(label, "label"), span(value, f"value {kind}", of=of), span(detail, "detail"))
    return block(*parts, kind="fact", hint=hint)


def _state(engine: Engine) -> Element:
    kind = _STATE_KINDS.get(engine.actual_state, "busy")
    mark = {"good": "\u25cf", "bad": "\u2716", "faint": "\u25cb"}.get(kind, "\u25d4")
    if engine.actual_state == engine.desired_state:
        detail = "as wanted"
    else:
        detail = f"wanted: {words(engine.desired_state)}"
    trades = engine.may_trade or engine.may_trade_preset
    if engine.actual_state == "running" and not trades:
        detail = "watches only, sends no orders"
    elif engine.warming:
        detail = "warming up, no orders yet"
    elif engine.risk is not None and engine.risk.trading_state != "active":
        why = words(engine.risk.reason) or "emergency"
        detail = f"\u26a0 {engine.risk.trading_state}, opens nothing: {why}"
    hint = "What the loops prove by their heartbeat, and what the operator wants"
    return _fact("Engine", f"{mark} {words(engine.actual_state)}", kind, detail, hint, "engine")


def _loop(label: str, interval: str, loop: LoopState) -> Element:
    hint = f"A tick every {interval}; alive means that its lease is held right now"
    of = label.lower().replace(" ", "-")
    if not loop.alive:
        resting = loop.phase == "idle"
        mark, kind = ("\u25cb resting", "faint") if resting else ("\u25cb off", "faint")
        detail = "flat, no wishes" if resting else UNKNOWN
        return _fact(label, mark, kind, detail, hint, of)
    detail = f"every {interval} \u00b7 wrote {age(loop.age_ms)} ago"
    return _fact(label, "\u25cf alive", "good", detail, hint, of)


def _data_age(engine: Engine, screen: Screen) -> Element:
    hint = "From the close of the last candle the trade loop has decided on until now"
    loop_age_ms, read_age_ms = engine.trade_loop.age_ms, screen.status.age_ms(screen.now_ms)
    if loop_age_ms is None or read_age_ms is None:
        return _fact("Data age", UNKNOWN, "faint", "no tick yet", hint, "data-age")
    total_ms = loop_age_ms + read_age_ms
    late = total_ms > _DATA_LATE_MS
    kind, detail = ("bad", "\u26a0 late") if late else ("good", "fresh")
    return _fact("Data age", age(total_ms), kind, detail, hint, "data-age")


def _api(screen: Screen) -> Element:
    hint = "When the API last answered this console"
    read_age_ms = screen.status.age_ms(screen.now_ms)
    if screen.status.problem:
        return _fact("API", "\u26a0 silent", "bad", f"for {age(read_age_ms)}", hint, "api")
    return _fact("API", "\u25cf answers", "good", f"{age(read_age_ms)} ago", hint, "api")


def _progress(engine: Engine) -> tuple[Element, ...]:
    if engine.prehistoric_data_loaded or engine.desired_state != "running":
        return ()
    percent = engine.loading_progress
    covered = (
        "" if engine.coverage is None else f" \u00b7 {engine.coverage:.1f} % of history covered"
    )
    text = f"{words(engine.loading_stage) or 'starting'} \u00b7 {percent} %{covered}"
    bar = block(Element(kind="filled", fill_pct=percent), kind="bar")
    return (block(span(text, of="loading"), bar, kind="loading"),)


def _problems(engine: Engine, screen: Screen) -> tuple[Element, ...]:
    lines = []
    if screen.status.problem:
        lines.append(block(span(f"\u26a0 {screen.status.problem}"), kind="problem", of="silence"))
    if engine.error:
        lines.append(block(span(f"\u26a0 {engine.error}"), kind="problem", of="last-error"))
    if screen.choice.notice:
        kind = "problem" if screen.choice.notice_is_problem else "notice"
        lines.append(block(span(screen.choice.notice), kind=kind, of="notice"))
    return tuple(lines)
