"""What was made of rows is made again only of those that changed."""

from typing import Any

from adapters.unchanged_rows import MOST_CONNECTIONS, UnchangedRows


class Made:
    """Notes what is made, by name and value."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.rows = UnchangedRows("id", self._make)

    def _make(self, item: dict[str, Any]) -> str:
        self.names.append(item["id"]["S"])
        return f"{item['id']['S']}={item['v']['N']}"

    def of(self, connection_id: str, **values: int) -> list[str]:
        self.names.clear()
        items = [{"id": {"S": name}, "v": {"N": str(value)}} for name, value in values.items()]
        return self.rows.of(connection_id, items)


def test_only_what_differs_in_any_word_is_made_anew_and_the_order_is_that_of_the_store() -> None:
    made = Made()
    made.of("c1", a=1, b=2)

    assert made.of("c1", b=2, a=3, new=4) == ["b=2", "a=3", "new=4"]
    assert made.names == ["a", "new"]


def test_what_was_not_told_last_time_is_forgotten() -> None:
    made = Made()
    made.of("c1", a=1, b=2)
    made.of("c1", a=1)

    made.of("c1", a=1, b=2)

    assert made.names == ["b"]


def test_rows_of_the_same_name_in_two_connections_are_two() -> None:
    made = Made()
    made.of("c1", a=1)

    assert made.of("c2", a=2) == ["a=2"]
    assert made.of("c1", a=1) == ["a=1"]
    assert made.names == []


def test_connections_not_asked_for_are_forgotten_first() -> None:
    made = Made()
    for number in range(MOST_CONNECTIONS + 1):
        made.of(f"c{number}", a=1)

    made.of("c1", a=1)
    assert made.names == []
    made.of("c0", a=1)
    assert made.names == ["a"]
