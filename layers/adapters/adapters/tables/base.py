"""What all tables share."""

from collections.abc import Callable, Mapping
from functools import cache
from threading import Lock
from typing import Any, Self

from pynamodb.attributes import Attribute
from pynamodb.connection import TableConnection
from pynamodb.constants import NULL
from pynamodb.exceptions import AttributeDeserializationError
from pynamodb.indexes import AllProjection
from pynamodb.models import Model

from adapters import dynamo
from adapters.environment import table

__all__ = ["IndexMeta", "Meta", "Row", "table"]

_joining = Lock()


class Meta:
    """Settings of every model."""

    billing_mode = "PAY_PER_REQUEST"


class IndexMeta:
    """Settings of every local secondary index: whole rows, read strongly where asked."""

    projection = AllProjection()


class Row(Model):
    """A model on the process's one connection; each would open a client of its own otherwise."""

    @classmethod
    def _get_connection(cls) -> TableConnection:
        found = super()._get_connection()
        shared = dynamo.connection()
        if found.connection is not shared:
            with _joining:
                if found.connection is not shared:
                    shared.add_meta_table(found.get_meta_table())
                    found.connection = shared
        return found

    @classmethod
    def from_raw_data(cls, data: dict[str, Any]) -> Self:
        """The row that the store holds as `data`, as pynamodb makes it.

        Only what is stored is looked at: pynamodb asks each attribute that a row could have, twice.
        """
        row = cls.__new__(cls)
        row.attribute_values = held = dict(_defaults(cls))
        readers = _readers(cls)
        for name, value in data.items():
            if name in readers and NULL not in value:
                kind, deserialize = readers[name]
                if kind not in value:
                    raise AttributeDeserializationError(name, kind)
                held[name] = deserialize(value[kind])
        return row


@cache
def _readers(model: type[Row]) -> Mapping[str, tuple[str, Callable[[Any], Any]]]:
    """The kind each attribute is stored as, and what makes its value of that."""
    attributes: Mapping[str, Attribute[Any]] = model.get_attributes()
    return {name: (one.attr_type, one.deserialize) for name, one in attributes.items()}


@cache
def _defaults(model: type[Row]) -> Mapping[str, Any]:
    """What attributes are that were never stored, if not None; each is stored under its name."""
    attributes: Mapping[str, Attribute[Any]] = model.get_attributes()
    return {name: one.default for name, one in attributes.items() if one.default is not None}
