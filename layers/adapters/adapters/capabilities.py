"""What each venue can do: the checked-in matrix, written by `python -m local.capabilities`."""

import json
from pathlib import Path
from typing import Any

MATRIX = Path(__file__).parent / "venues" / "capabilities.json"


def exchanges() -> list[dict[str, Any]]:
    """Every venue with its level, why, and what ccxt and our tests say of it."""
    found: list[dict[str, Any]] = json.loads(MATRIX.read_text())
    return found
