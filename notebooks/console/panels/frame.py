"""What every panel has: a title, its content, and an honest word when either is missing or old."""

from dataclasses import replace
from typing import Any

from console.elements import Element, block, span
from console.figures import age
from console.state import Reading


def framed(
    title: str,
    of: str,
    readings: tuple[Reading[Any], ...],
    now_ms: int,
    *content: Element,
    summary: Element | None = None,
) -> Element:
    """A titled panel, greyed out with its age when one of its readings is stale."""
    oldest = _oldest(readings, now_ms)
    note = span("", "note")
    if oldest is not None:
        note = span(
            f"\u25f7 {age(oldest.age_ms(now_ms))} old", "note", hint=oldest.problem, of="stale"
        )
    head = block(Element(tag="h2", text=title), summary or span("", "summary"), note, kind="head")
    kind = "panel stale" if oldest is not None else "panel"
    return block(head, block(*content, kind="content"), kind=kind, of=of)


def nothing(text: str, problem: str = "") -> Element:
    """In place of data: what is missing, and why if that is known."""
    words = (span(text),) if not problem else (span(text), span(problem, "why"))
    return replace(block(*words, kind="nothing"), of="nothing")


def _oldest(readings: tuple[Reading[Any], ...], now_ms: int) -> Reading[Any] | None:
    stale = [reading for reading in readings if reading.is_stale(now_ms)]
    return max(stale, key=lambda reading: reading.age_ms(now_ms) or 0, default=None)
