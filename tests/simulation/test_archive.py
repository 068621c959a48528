"""What the rings of Sets push out reaches the archive once and whole, through deaths of workers."""

from typing import Any

import pytest
from tests.fakes import FakeStore
from tests.trade_world import an_engine
from tests.unit.engine.trading import lenient


async def test_what_left_the_books_is_archived_before_they_are_stored_whatever_dies_between(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A worker that died between the two has its results archived again, as the same."""
    order: list[str] = []
    archive, save, book = FakeStore.archive_results, FakeStore.save_books, FakeStore.load_books

    def archiving(store: FakeStore, *given: Any, **named: Any) -> None:
        order.append("archive")
        archive(store, *given, **named)

    def saving(store: FakeStore, *given: Any, **named: Any) -> None:
        order.append("books")
        save(store, *given, **named)

    monkeypatch.setattr(FakeStore, "archive_results", archiving)
    monkeypatch.setattr(FakeStore, "save_books", saving)
    few = lenient(
        burstSeconds=20,
        snapshotIntervalSeconds=60,
        positionCooldown=0,
        validationTimeout=1,
        gridRanges=[3],
        gridTakeProfits=["3"],
        trailingEnabled=False,
    )
    engine = an_engine(few)
    for number in range(20):
        await engine.burst()
        if number % 4 == 3:
            engine.memories.clear()  # dies with what it had not written yet

    found = engine.store.archived_results("c1", "BTCUSDT", since_ms=0)
    assert found
    assert "archive books" in " ".join(order)
    assert "archive archive" not in " ".join(order)
    assert book(engine.store, "c1", "BTCUSDT") is not None
    kept: dict[str, tuple[int, int]] = {}
    for each in found:
        for one in each.sets:
            begin, _ = kept.get(one.key_text, (0, 0))
            assert one.first == begin  # without a gap, and nothing twice
            kept[one.key_text] = (one.first + len(one.results), each.at_ms)
