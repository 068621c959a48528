"""Reading an element tree as a user reads a page."""

from collections.abc import Iterator

from console.elements import Element


def every(element: Element) -> Iterator[Element]:
    yield element
    for child in element.children:
        yield from every(child)


def text_of(element: Element) -> str:
    parts = [part.text for part in every(element) if part.text and not part.children]
    return " ".join(parts)


def find(element: Element, of: str) -> Element:
    found = [part for part in every(element) if part.of == of]
    assert found, f"nothing on the page is marked {of!r}"
    return found[0]


def has(element: Element, of: str) -> bool:
    return any(part.of == of for part in every(element))


def cells(row: Element) -> list[str]:
    return [text_of(cell) for cell in row.children]
