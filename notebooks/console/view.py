"""A widget that shows an element tree and reports clicks."""

from collections.abc import Callable
from pathlib import Path

import anywidget
import traitlets

from console.elements import Element

_ASSETS = Path(__file__).parent / "assets"


class View(anywidget.AnyWidget):  # type: ignore[misc]  # untyped
    """One panel; the browser changes only the cells that differ from those it shows."""

    _esm = _ASSETS / "view.js"
    _css = _ASSETS / "console.css"

    tree = traitlets.Dict().tag(sync=True)
    beat = traitlets.Int().tag(sync=True)

    def __init__(self, act: Callable[[str], None]) -> None:
        super().__init__()
        self._act = act
        self.on_msg(self._clicked)

    def _clicked(self, _widget: object, content: dict[str, str], _buffers: object) -> None:
        self._act(content.get("action", ""))

    def show(self, element: Element, now_ms: int) -> None:
        """Show `element`; `now_ms` tells the browser that somebody still renews it."""
        with self.hold_sync():
            self.tree = element.to_json()
            self.beat = now_ms
