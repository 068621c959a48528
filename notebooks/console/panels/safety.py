"""The bar that is always in sight: how real the money is, what the engine does, how old that is."""

from console.elements import Element, block, button, span
from console.figures import UNKNOWN, age, price, signed, words
from console.models import Account, Engine, LoopState
from console.panels.controls import controls
from console.panels.emergency import emergency_banner
from console.panels.frame import nothing
from console.state import Screen

_DATA_LATE_MS = 3_000
_STATE_KINDS = {
    "running": "good",
    "paused": "busy",
    "stopped": "faint",
    "idle": "faint",
    "error": "bad",
    "emergency_stopped": "bad",
}


def safety_panel(screen: Screen) -> Element:
    """One line for the chosen engine; below it what holds, loads or is wrong."""
    engine = screen.engine
    if engine is None:
        line = block(_badge(screen.account), _absent(screen), kind="line")
        return block(line, kind="safety", of="safety")
    facts = block(
        _state(engine),
        _loop("Trade loop", "1.0 s", engine.trade_loop),
        _loop("Position loop", "0.3 s", engine.position_loop),
        _data_age(engine, screen),
        _equity(engine, screen),
        _alerts(screen),
        _api(screen),
        kind="facts",
    )
    line = block(
        _badge(screen.account), _name(engine, screen), facts, controls(screen), kind="line"
    )
    kinds = ["safety"]
    kinds += ["stale"] if screen.snapshot.is_stale(screen.now_ms) else []
    kinds += ["latched"] if engine.emergency else []
    below = (*emergency_banner(screen), *_progress(engine), *_problems(engine, screen))
    return block(line, *below, kind=" ".join(kinds), of="safety")


def _absent(screen: Screen) -> Element:
    """In place of the facts, before any answer: what the API said, or that it is silent."""
    reading = screen.snapshot
    if reading.refused:
        return nothing(reading.problem)
    return nothing("Waiting for the API: is CTS up?", reading.problem or "asking\u2026")


def _badge(account: Account | None) -> Element:
    """Colour and word together, so that neither needs the other."""
    if account is None:
        return span("CTS", "badge unknown", hint="No account is known yet", of="badge")
    if account.is_paper:
        return span("PAPER", "badge paper", hint="Play money on the paper exchange", of="badge")
    if account.is_testnet:
        return span("TESTNET", "badge testnet", hint="Play money on a testnet", of="badge")
    return span("LIVE", "badge live", hint="Real money", of="badge")


def _name(engine: Engine, screen: Screen) -> Element:
    title = span(engine.name, "name", of="connection")
    place = span(engine.exchange, "faint")
    if len(screen.accounts) < 2:
        return block(title, place, kind="connection")
    hint = f"Turn to the next of {len(screen.accounts)} accounts"
    turn = button("\u21c4", "next-account", hint=hint)
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


def _loop(name: str, interval: str, loop: LoopState) -> Element:
    hint = f"A tick every {interval}; alive means that its lease is held right now"
    of, label = name.lower().replace(" ", "-"), f"{name} {interval}"
    if not loop.alive:
        resting = loop.phase == "idle"
        mark, kind = ("\u25cb resting", "faint") if resting else ("\u25cb off", "faint")
        detail = "flat, no wishes" if resting else UNKNOWN
        return _fact(label, mark, kind, detail, hint, of)
    wrote = "no tick yet" if loop.age_ms is None else f"wrote {age(loop.age_ms)} ago"
    return _fact(label, "\u25cf alive", "good", wrote, hint, of)


def _data_age(engine: Engine, screen: Screen) -> Element:
    hint = "From the close of the last candle the trade loop has decided on until now"
    loop_age_ms, read_age_ms = engine.trade_loop.age_ms, screen.snapshot.age_ms(screen.now_ms)
    if loop_age_ms is None or read_age_ms is None:
        return _fact("Data age", UNKNOWN, "faint", "no tick yet", hint, "data-age")
    total_ms = loop_age_ms + read_age_ms
    late = total_ms > _DATA_LATE_MS
    kind, detail = ("bad", "\u26a0 late") if late else ("good", "fresh")
    return _fact("Data age", age(total_ms), kind, detail, hint, "data-age")


def _equity(engine: Engine, screen: Screen) -> Element:
    hint = "What the account is worth in quote currency, and what was realised since UTC midnight"
    sample = screen.snapshot.value.equity if screen.snapshot.value else None
    if sample is None:
        return _fact("Equity", UNKNOWN, "faint", "not read yet", hint, "equity")
    today = engine.risk.realised_today if engine.risk else None
    detail = f"today {signed(today)}"
    return _fact("Equity", price(round(sample.equity, 2), 2), "", detail, hint, "equity")


def _alerts(screen: Screen) -> Element:
    hint = "Open alerts of this account and of the system; acknowledge them through the API"
    alerts = screen.snapshot.value.alerts if screen.snapshot.value else None
    if alerts is None or not alerts.open:
        return _fact("Alerts", "\u25cf none", "good", "all is quiet", hint, "alerts")
    kind = "bad" if {"critical", "high"} & alerts.by_severity.keys() else "busy"
    detail = ", ".join(f"{number} {name}" for name, number in sorted(alerts.by_severity.items()))
    return _fact("Alerts", f"\u26a0 {alerts.open}", kind, detail, hint, "alerts")


def _api(screen: Screen) -> Element:
    hint = "When the API last answered this console"
    reading = screen.snapshot
    read_age_ms = reading.age_ms(screen.now_ms)
    if reading.problem:
        word = "\u26a0 refuses" if reading.refused else "\u26a0 silent"
        return _fact("API", word, "bad", f"for {age(read_age_ms)}", hint, "api")
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
    """Silence, then the engine's own words, then what became of the last click."""
    lines = []
    if screen.snapshot.problem:
        lines.append(_line(f"\u26a0 {screen.snapshot.problem}", "silence"))
    issue = screen.snapshot.value.health.issue if screen.snapshot.value else ""
    if engine.error and not engine.emergency:
        lines.append(_line(f"\u26a0 {engine.error}", "last-error"))
    elif issue:
        lines.append(_line(f"\u26a0 {issue}", "issue"))
    choice = screen.choice
    if choice.notice:
        kind = "problem" if choice.notice_is_problem else "notice"
        lines.append(_line(choice.notice, "notice", kind))
    return tuple(lines)


def _line(text: str, of: str, kind: str = "problem") -> Element:
    return block(span(text), kind=kind, of=of)
