"""The table fault, step, outcome as a page."""

from collections import Counter, defaultdict
from pathlib import Path

from local.simulation.outcomes import Row

_HEAD = """# Faults, steps, outcomes

Every fault that struck in {cases} simulated cases ({orders} orders sent, {faults} faults), at
which step of the order path, and how it ended. Written by:

    uv run {command}

Steps named after a port's method are the store's and the leases'; the others are what a venue was
asked for, `before` it was sent, once it was `sent`, and once it was `answered`. No case ended with
a doubled, lost or unresolved order, an unprotected position, or books that differ from the
venue's, unless it says so here.

Wrong in the end: {wrong}.

| fault | step | outcome | times |
|---|---|---|---:|
"""


def written(rows: Counter[Row], *, command: str, figures: dict[str, object]) -> str:
    """The whole page."""
    by_place: dict[tuple[str, str], list[tuple[str, int]]] = defaultdict(list)
    for (fault, step, outcome), times in rows.items():
        by_place[fault, step].append((outcome, times))
    lines = [
        f"| {fault} | {step} | {outcome} | {times} |"
        for (fault, step), ends in sorted(by_place.items())
        for outcome, times in sorted(ends, key=lambda end: (-end[1], end[0]))
    ]
    kinds = ("duplicates", "lost", "unprotected", "drift", "unresolved", "errors")
    head = _HEAD.format(
        cases=figures["cases"],
        orders=figures["orders_sent"],
        faults=figures["faults_injected"],
        command=command,
        wrong=", ".join(f"{kind} {figures[kind]}" for kind in kinds),
    )
    return head + "\n".join(lines) + "\n"


def write_table(
    path: Path, rows: Counter[Row], *, command: str, figures: dict[str, object]
) -> None:
    """Write the page."""
    path.write_text(written(rows, command=command, figures=figures), encoding="utf-8")
