"""What all tables share."""

from threading import Lock

from pynamodb.connection import TableConnection
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
