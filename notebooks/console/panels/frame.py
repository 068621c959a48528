"""What every panel has: a title, its content, and an honest word when either is missing or old."""

from dataclasses import replace

from console.elements import Element, block, span
from console.figures import age
from console.state import Screen


def framed(
    title: str,
    of: str,
    screen: Screen,
    *content: Element,
    summary: Element | None = None,
    actions: Element | None = None,
) -> Element:
    """A titled panel, greyed out with its age when the answer it shows is stale."""
    reading, now_ms = screen.snapshot, screen.now_ms
    stale = reading.is_stale(now_ms)
    note = span("", "note")
    if stale:
        old = f"\u25f7 {age(reading.age_ms(now_ms))} old"
        note = span(old, "note", hint=reading.problem, of="stale")
    heading = (Element(tag="h2", text=title), summary or span("", "summary"), note)
    head = block(*heading, *((actions,) if actions else ()), kind="head")
    return block(
        head, block(*content, kind="content"), kind="panel stale" if stale else "panel", of=of
    )


def nothing(text: str, problem: str = "") -> Element:
    """In place of data: what is missing, and why if that is known."""
    words = (span(text),) if not problem else (span(text), span(problem, "why"))
    return replace(block(*words, kind="nothing"), of="nothing")
