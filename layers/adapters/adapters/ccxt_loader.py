"""One venue of ccxt at a time.

`import ccxt.pro` imports every venue (seconds, and over a hundred megabytes). Here the packages
`ccxt`, `ccxt.async_support` and `ccxt.pro` are registered empty, with their folders, so that their
modules import as usual but their `__init__` never runs; names that ccxt's own modules expect from
`ccxt` are looked up where they are defined.
"""

import importlib
import importlib.machinery
import importlib.util
import logging
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from engine.errors import RefusedError

_PACKAGES = ("ccxt", "ccxt.async_support", "ccxt.pro")
_HOMES = {
    "ccxt": ("ccxt.base.errors", "ccxt.base.exchange", "ccxt.base.precise"),
    "ccxt.async_support": ("ccxt.async_support.base.exchange", "ccxt.base.errors"),
    "ccxt.pro": ("ccxt.base.errors",),
}

# At DEBUG it prints each request with its headers, among them keys and passphrases.
logging.getLogger("ccxt").setLevel(logging.INFO)


def load_venue(ccxt_id: str) -> Any:
    """The `ccxt.pro` class of one venue.

    Raises
    ------
    RefusedError
        If ccxt has no such venue.
    """
    _register()
    try:
        importlib.import_module(f"ccxt.async_support.{ccxt_id}")
        _name_classes("ccxt.async_support")
        module = importlib.import_module(f"ccxt.pro.{ccxt_id}")
    except ModuleNotFoundError as error:
        raise RefusedError(f"ccxt has no venue {ccxt_id!r}") from error
    return getattr(module, ccxt_id)


def load_errors() -> Any:
    """The module of ccxt's error classes."""
    _register()
    return importlib.import_module("ccxt.base.errors")


def _register() -> None:
    if "ccxt" in sys.modules:  # ours, or the whole of it imported by somebody else
        return
    found = importlib.util.find_spec("ccxt")
    if found is None or found.origin is None:
        raise RefusedError("the package ccxt is not installed")
    root = Path(found.origin).parent
    for name in _PACKAGES:
        sys.modules[name] = _empty_package(name, root.joinpath(*name.split(".")[1:]))
    for name in _PACKAGES[1:]:
        setattr(sys.modules["ccxt"], name.split(".")[1], sys.modules[name])


def _name_classes(package: str) -> None:
    """Let `package.venue` be the class, as ccxt's own `__init__` does, not the module."""
    for name, module in list(sys.modules.items()):
        parent, _, last = name.rpartition(".")
        if parent == package and isinstance(getattr(module, last, None), type):
            setattr(sys.modules[package], last, getattr(module, last))


def _empty_package(name: str, folder: Path) -> ModuleType:
    spec = importlib.machinery.ModuleSpec(name, None, is_package=True)
    spec.submodule_search_locations = [str(folder)]
    package = importlib.util.module_from_spec(spec)

    def look_up(attribute: str) -> Any:
        for home in _HOMES[name]:
            module = importlib.import_module(home)
            if hasattr(module, attribute):
                return getattr(module, attribute)
        raise AttributeError(f"module {name!r} has no attribute {attribute!r}")

    package.__getattr__ = look_up  # type: ignore[method-assign]  # PEP 562
    return package
