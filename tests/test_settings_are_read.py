"""No setting that nothing reads."""

import ast
from dataclasses import fields
from pathlib import Path

from engine.settings import Settings

ROOT = Path(__file__).resolve().parents[1]


def test_every_setting_is_read_by_the_code() -> None:
    readers = (
        file
        for folder in ("layers", "functions")
        for file in (ROOT / folder).rglob("*.py")
        if file.name != "settings.py"
    )

    read = {
        node.attr
        for file in readers
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
    }

    assert not {field.name for field in fields(Settings)} - read
