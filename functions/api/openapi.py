"""Writes what is known of the routes into `infra`: `python functions/api/openapi.py`.

`openapi.yaml` describes them for programs, `docs/api.md` for people, and `gateway.yaml` is what the
REST gateway is built from; so a route exists only once: in its blueprint.
"""

import sys
from pathlib import Path
from typing import Any

import yaml
from chalice.app import Chalice

from reference.document import document
from reference.gateway import gateway_document
from reference.table import table

_INFRA = Path(__file__).resolve().parents[2] / "infra"
TARGET = _INFRA / "openapi.yaml"
GATEWAY = _INFRA / "gateway.yaml"
TABLE = _INFRA / "docs" / "api.md"
_HEAD = "# Written by functions/api/openapi.py from the routes; do not edit.\n"


def text(app: Chalice) -> str:
    """The description as it is stored; where the API is served is not known here."""
    told = {name: part for name, part in document(app).items() if name != "servers"}
    return _written(told)


def gateway_text(app: Chalice) -> str:
    """What the gateway is built from, as it is stored."""
    return _written(gateway_document(app))


def written(app: Chalice) -> dict[Path, str]:
    """Every file that is made from the routes, and what is in it."""
    return {TARGET: text(app), GATEWAY: gateway_text(app), TABLE: table(app)}


def _written(told: dict[str, Any]) -> str:
    return _HEAD + yaml.dump(told, Dumper=_Plain, sort_keys=False, width=100, allow_unicode=True)


class _Plain(yaml.CSafeDumper):
    """Writes equal parts out instead of referring to them, which the gateway cannot read."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


if __name__ == "__main__":
    from app import app as served

    for target, content in written(served).items():
        target.write_text(content, encoding="utf-8")
        sys.stdout.write(f"wrote {target}\n")
