"""Rows of a backup: their text, their digests, their shelf."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.backups.rows import Sum, item_of, packed, text_of, unpacked
from local.backups.shelf import FolderShelf

NAMES = st.text(min_size=1, max_size=8)
LEAVES = st.one_of(
    st.fixed_dictionaries({"S": st.text(max_size=12)}),
    st.fixed_dictionaries({"N": st.integers(-(10**37), 10**37).map(str)}),
    st.fixed_dictionaries({"B": st.binary(max_size=12)}),
    st.fixed_dictionaries({"BOOL": st.booleans()}),
    st.just({"NULL": True}),
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.fixed_dictionaries({"L": st.lists(inner, max_size=3)}),
        st.fixed_dictionaries({"M": st.dictionaries(NAMES, inner, max_size=3)}),
    ),
    max_leaves=6,
)
ITEMS = st.dictionaries(NAMES, VALUES, min_size=1, max_size=4)


@settings(max_examples=20)
@given(ITEMS)
def test_a_row_comes_back_from_its_text_as_it_was(item: dict[str, Any]) -> None:
    assert item_of(text_of(item)) == item


@pytest.mark.parametrize("kind", ["SS", "NS", "BS"])
def test_a_set_is_the_same_row_in_any_order(kind: str) -> None:
    members = [b"1", b"2"] if kind == "BS" else ["1", "2"]

    assert text_of({"a": {kind: members}}) == text_of({"a": {kind: members[::-1]}})


@pytest.mark.parametrize("other", ["1E+4", "10000.00", "010000"])
def test_a_number_is_the_same_however_it_is_printed(other: str) -> None:
    assert text_of({"a": {"N": "10000"}}) == text_of({"a": {"N": other}})


def test_a_number_keeps_all_38_digits() -> None:
    longest = {"a": {"N": "12345678901234567890.123456789012345678"}}

    assert item_of(text_of(longest)) == longest


@settings(max_examples=20)
@given(st.lists(ITEMS, max_size=4))
def test_a_file_gives_back_its_rows_in_order(items: list[dict[str, Any]]) -> None:
    assert list(unpacked(packed(items))) == items


@settings(max_examples=20)
@given(st.lists(ITEMS, min_size=1, max_size=4))
def test_the_sum_of_digests_knows_no_order_and_misses_no_row(items: list[dict[str, Any]]) -> None:
    forward, backward, fewer = Sum(), Sum(), Sum()
    for item in items:
        forward.add(item)
    for item in reversed(items):
        backward.add(item)
    for item in items[1:]:
        fewer.add(item)

    assert forward == backward
    assert forward.text != fewer.text


def test_files_of_a_folder_are_private_and_their_names_come_in_order(tmp_path: Path) -> None:
    shelf = FolderShelf(tmp_path)
    for name in ("b/2", "a/1", "b/1"):
        shelf.put(name, name.encode())

    assert list(shelf.names("b/")) == ["b/1", "b/2"]
    assert shelf.get("a/1") == b"a/1"
    assert shelf.get("a/2") is None
    assert (tmp_path / "a" / "1").stat().st_mode & 0o777 == 0o600


def test_a_removed_file_takes_its_empty_folder_along(tmp_path: Path) -> None:
    shelf = FolderShelf(tmp_path)
    shelf.put("a/b/1", b"")

    shelf.remove("a/b/1")

    assert list(tmp_path.iterdir()) == []
