"""Logs and errors as the text of a file."""

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

COLUMNS = (
    "timestamp",
    "firstMs",
    "lastMs",
    "level",
    "category",
    "message",
    "connectionId",
    "correlationId",
    "count",
    "values",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def text_of(rows: Sequence[dict[str, Any]], *, as_csv: bool) -> str:
    """JSON lines, or CSV with a head line."""
    if not as_csv:
        return "".join(json.dumps(row, separators=(",", ":")) + "\n" for row in rows)
    file = io.StringIO()
    columns = [name for name in COLUMNS if not rows or name in rows[0]]
    writer = csv.writer(file)
    writer.writerow(columns)
    writer.writerows([[_cell(row[name]) for name in columns] for row in rows])
    return file.getvalue()


def _cell(value: Any) -> Any:
    """A value that no spreadsheet takes for a formula."""
    if isinstance(value, dict):
        return json.dumps(value, separators=(",", ":"))
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return "" if value is None else value
