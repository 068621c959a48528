"""What is deployed, as tests read it: the SAM template and the description of the API."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]


class _Loader(yaml.CSafeLoader):
    """Reads CloudFormation's short functions as plain values."""


def _plain(loader: yaml.CSafeLoader, suffix: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    assert isinstance(node, yaml.MappingNode)
    return loader.construct_mapping(node, deep=True)


_Loader.add_multi_constructor("!", _plain)


@cache
def resources() -> dict[str, dict[str, Any]]:
    """What template.yaml deploys, by logical name."""
    found: dict[str, dict[str, Any]] = _read("template.yaml")["Resources"]
    return found


@cache
def document_of(name: str) -> dict[str, Any]:
    """The whole of a YAML file."""
    found: dict[str, Any] = _read(name)
    return found


@cache
def described_paths() -> dict[str, dict[str, Any]]:
    """Paths of infra/openapi.yaml."""
    found: dict[str, dict[str, Any]] = _read("infra/openapi.yaml")["paths"]
    return found


@cache
def gateway_paths() -> dict[str, dict[str, Any]]:
    """Paths of infra/gateway.yaml, which the gateway is built from."""
    found: dict[str, dict[str, Any]] = _read("infra/gateway.yaml")["paths"]
    return found


def _read(name: str) -> Any:
    return yaml.load((ROOT / name).read_text(encoding="utf-8"), Loader=_Loader)
