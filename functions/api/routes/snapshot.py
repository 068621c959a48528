"""A console's whole screen in one call."""

from chalice.app import Blueprint

from adapters.snapshot_views import Wanted
from models.snapshot import SnapshotAnswer, SnapshotQuery
from operation import Reach, operation
from services import services

snapshot = Blueprint(__name__)


@operation(
    snapshot,
    ("GET",),
    "/api/snapshot",
    query=SnapshotQuery,
    answer=SnapshotAnswer,
    reach=Reach.LISTED,
    failures=(404,),
)
def read_snapshot(
    *, query: SnapshotQuery, caller: str, within: frozenset[str] | None
) -> SnapshotAnswer:
    """Engine, progress, positions, orders, alerts, equity and candles of one connection."""
    return SnapshotAnswer.model_validate(
        services().snapshot_views.snapshot(Wanted(**dict(query)), within=within)
    )
