"""A panel's content as plain data; the browser turns it into a page and changes only what differs.

Text is only ever set as text, so nothing the API says can become markup.
"""

from dataclasses import dataclass
from typing import Any

type Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """One page element: `kind` names its CSS classes, `hint` explains it on hover.

    `action` is sent back when it is clicked. `pressed` makes a checkbox of a button, `fill_pct`
    (0 to 100) is the length of a bar, `of` marks the element for tests and for the eye of the DOM.
    """

    tag: str = "div"
    text: str = ""
    children: tuple["Element", ...] = ()
    kind: str = ""
    hint: str = ""
    action: str = ""
    of: str = ""
    pressed: bool | None = None
    disabled: bool = False
    fill_pct: int | None = None

    def to_json(self) -> Json:
        """The form the browser reads; empty parts are left out."""
        attributes = {
            "class": self.kind,
            "title": self.hint,
            "data-action": self.action,
            "data-of": self.of,
            "disabled": "disabled" if self.disabled else "",
        }
        if self.pressed is not None:
            attributes |= {"role": "checkbox", "aria-checked": str(self.pressed).lower()}
        if self.fill_pct is not None:
            attributes["style"] = f"width: {min(100, max(0, self.fill_pct))}%"
        content: Json = {"tag": self.tag, "attributes": {k: v for k, v in attributes.items() if v}}
        if self.children:
            content["children"] = [child.to_json() for child in self.children]
        else:
            content["text"] = self.text
        return content


def block(*children: Element, kind: str = "", of: str = "", hint: str = "") -> Element:
    """Elements one after the other."""
    return Element(children=children, kind=kind, of=of, hint=hint)


def span(text: str, kind: str = "", *, hint: str = "", of: str = "") -> Element:
    """A piece of text in a line."""
    return Element(tag="span", text=text, kind=kind, hint=hint, of=of)


def button(text: str, action: str, kind: str = "", *, hint: str = "") -> Element:
    """Something to click."""
    return Element(tag="button", text=text, action=action, kind=kind, hint=hint, of=action)


def table(columns: tuple[Element, ...], rows: tuple[Element, ...], of: str) -> Element:
    """A table with one header row; `columns` are `th`, `rows` are `tr` elements."""
    head = Element(tag="thead", children=(Element(tag="tr", children=columns),))
    body = Element(tag="tbody", children=rows)
    return Element(tag="table", children=(head, body), of=of)
