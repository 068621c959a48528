"""A console's whole screen in one call."""

from chalice.app import Blueprint

from models.snapshot import SnapshotAnswer, SnapshotQuery
from operation import operation
from services import services

snapshot = Blueprint(__name__)


@operation(
    snapshot,
    ("GET",),
    "/api/snapshot",
    query=SnapshotQuery,
    answer=SnapshotAnswer,
    failures=(404,),
)
def read_snapshot(*, query: SnapshotQuery, caller: str) -> SnapshotAnswer:
    """Engine, progress, positions, orders, alerts, equity and candles of one connection."""
    return SnapshotAnswer.model_validate(services().snapshot_views.snapshot(**dict(query)))
