"""Writes `infra/openapi.yaml` and `infra/docs/api.md`: `python functions/api/openapi.py`.

The first is what the REST gateway is built from, so a route exists only once: in its blueprint.
"""

import sys
from pathlib import Path
from typing import Any

import yaml
from chalice.app import Chalice

from reference.gateway import gateway_document
from reference.table import table

_INFRA = Path(__file__).resolve().parents[2] / "infra"
TARGET = _INFRA / "openapi.yaml"
TABLE = _INFRA / "docs" / "api.md"
_HEAD = "# Written by functions/api/openapi.py from the routes; do not edit.\n"


def text(app: Chalice) -> str:
    """The document as it is stored."""
    told = gateway_document(app)
    return _HEAD + yaml.dump(told, Dumper=_Plain, sort_keys=False, width=100, allow_unicode=True)


class _Plain(yaml.CSafeDumper):
    """Writes equal parts out instead of referring to them, which the gateway cannot read."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


if __name__ == "__main__":
    from app import app as served

    for target, written in ((TARGET, text(served)), (TABLE, table(served))):
        target.write_text(written, encoding="utf-8")
        sys.stdout.write(f"wrote {target}\n")
