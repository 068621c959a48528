"""What the engine counts, and how punctual its loops are."""

from collections import Counter
from collections.abc import Mapping

from console.elements import Element, block, span
from console.figures import UNKNOWN, clock, count, milliseconds, words
from console.models import LoopPerformance
from console.panels.frame import framed, nothing
from console.state import Screen, Tally

_STAGES = ("base", "main", "real", "exchange")


def totals_panel(screen: Screen) -> Element:
    """Signals, pseudo positions, Sets per stage, orders by state, cadence."""
    engine = screen.engine
    if engine is None:
        content: tuple[Element, ...] = (nothing("No data yet", screen.snapshot.problem),)
    else:
        counters = engine.trade_loop.counters
        content = (
            _counted(counters, screen.tally),
            _funnel(counters),
            _orders(screen),
            _cadence(screen),
        )
    tally = screen.tally
    summary = span("" if tally is None else f"since {clock(tally.since_ms)} UTC", "summary")
    return framed("Totals", "totals", screen, *content, summary=summary)


def _counted(counters: Mapping[str, int], tally: Tally | None) -> Element:
    summed = tally.counts if tally else {}
    since = "" if tally is None else f", since {clock(tally.since_ms)}"
    return block(
        _number("Signals", summed.get("signals"), f"Indications that asked for positions{since}"),
        _number("Paper open", counters.get("open_pseudo_positions"), "Pseudo positions open now"),
        _number("Opened", summed.get("opened"), f"Pseudo positions opened{since}"),
        _number("Closed", summed.get("closed"), f"Pseudo positions closed{since}"),
        kind="numbers",
    )


def _number(label: str, value: int | None, hint: str) -> Element:
    name = label.lower().replace(" ", "-")
    figures = (span(count(value), "figure", of=name), span(label, "label"))
    return block(*figures, kind="number", hint=hint)


def _funnel(counters: Mapping[str, int]) -> Element:
    most = max([counters.get(f"sets_{stage}", 0) for stage in _STAGES] + [1])
    rows = tuple(_stage(stage, counters.get(f"sets_{stage}"), most) for stage in _STAGES)
    hint = "A Set proves itself from stage to stage; those of the last may be mirrored"
    return block(Element(tag="h3", text="Sets per stage"), *rows, kind="funnel", hint=hint)


def _stage(stage: str, sets: int | None, most: int) -> Element:
    length = 0 if not sets else max(1, 100 * sets // most)
    bar = block(Element(kind=f"filled {stage}", fill_pct=length), kind="bar")
    return block(
        span(stage.capitalize(), "label"), bar, span(count(sets), "figure", of=f"sets-{stage}")
    )


def _orders(screen: Screen) -> Element:
    title = Element(tag="h3", text="Orders")
    found = Counter(order.status for order in screen.all_orders)
    shown = [state for state in ("open", "filled", "unknown", "rejected") if state != "new"]
    parts = [_chip(state, found.pop(state, 0)) for state in shown]
    parts += [_chip(state, number) for state, number in sorted(found.items())]
    return block(title, block(*parts, kind="chips"))


def _chip(state: str, number: int) -> Element:
    alarming = number > 0 and state in {"unknown", "rejected"}
    name = state.upper() if state == "unknown" else words(state)
    parts = (span(count(number), "figure", of=f"orders-{state}"), span(name, "label"))
    return block(*parts, kind="chip bad" if alarming else "chip")


def _cadence(screen: Screen) -> Element:
    title = Element(tag="h3", text="Cadence")
    cadence = screen.cadence
    if cadence is None:
        return block(title, nothing("No data yet"))
    heads = ("", "on time", "start jitter p99", "compute p50")
    titles = tuple(Element(tag="th", text=text, kind="number") for text in heads)
    head = Element(tag="tr", children=titles)
    rows = (
        _loop("Trade 1.0 s", cadence.trade_loop),
        _loop("Position 0.3 s", cadence.position_loop),
    )
    return block(title, Element(tag="table", children=(head, *rows), of="cadence"))


def _loop(name: str, loop: LoopPerformance) -> Element:
    skipped = sum(loop.skipped.values())
    causes = ", ".join(f"{words(why)} {n}" for why, n in loop.skipped.items() if n)
    due = loop.ticks + skipped
    share = UNKNOWN if not due else f"{100 * loop.ticks / due:.1f} %"
    hint = f"{loop.ticks} of {due} latest deadlines kept; skipped: {causes or 'none'}"
    texts = (name, share, milliseconds(loop.start_jitter_ms.p99), milliseconds(loop.compute_ms.p50))
    first, *others = texts
    cells = (
        Element(tag="td", text=first),
        *(Element(tag="td", text=t, kind="number") for t in others),
    )
    return Element(tag="tr", children=cells, hint=hint)
