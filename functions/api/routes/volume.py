"""How much would be opened, and how much was."""

from chalice.app import Blueprint

from adapters.tokens import Role
from adapters.volume_views import Asked
from engine.values import Exits, Side, TradeMode
from models.volume import VolumeAnswer, VolumeHistoryAnswer, VolumeHistoryQuery, VolumeRequest
from operation import operation
from services import services

volume = Blueprint(__name__)


@operation(
    volume,
    ("POST",),
    "/api/volume/calculate",
    body=VolumeRequest,
    answer=VolumeAnswer,
    failures=(404, 409),
    role=Role.VIEWER,
)
def calculate_volume(*, body: VolumeRequest, caller: str) -> VolumeAnswer:
    """What the engine would open, or why it would not; nothing is ordered or stored."""
    asked = body.model_dump(exclude={"stop_loss_pct", "side", "mode"})
    exits = Exits(take_profit_pct=body.stop_loss_pct, stop_loss_pct=body.stop_loss_pct)
    sized = Asked(**asked, side=Side(body.side), mode=TradeMode(body.mode), exits=exits)
    return VolumeAnswer.model_validate(services().volume_views.calculate(sized))


@operation(
    volume,
    ("GET",),
    "/api/volume/history/{connection_id}",
    query=VolumeHistoryQuery,
    answer=VolumeHistoryAnswer,
    failures=(404,),
)
def volume_history(
    connection_id: str, *, query: VolumeHistoryQuery, caller: str
) -> VolumeHistoryAnswer:
    """Wishes that were dealt with: their sizes, or the reasons for none."""
    told = services().volume_views.history(connection_id=connection_id, **dict(query))
    return VolumeHistoryAnswer.model_validate(told)
