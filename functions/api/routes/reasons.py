"""Why: of signals and of Sets."""

from chalice.app import Blueprint

from models.reasons import SetsAnswer, SetsQuery, WhyAnswer, WhyQuery
from operation import operation
from services import services

reasons = Blueprint(__name__)


@operation(
    reasons, ("GET",), "/api/indications/why", query=WhyQuery, answer=WhyAnswer, failures=(404,)
)
def why(*, query: WhyQuery, caller: str) -> WhyAnswer:
    """Why each indication of a symbol signalled on a candle or did not, with the numbers."""
    return WhyAnswer.model_validate(services().reason_views.signals(**dict(query)))


@operation(reasons, ("GET",), "/api/sets", query=SetsQuery, answer=SetsAnswer, failures=(404,))
def list_sets(*, query: SetsQuery, caller: str) -> SetsAnswer:
    """The Sets of a symbol that have proved themselves most, and what keeps them from more."""
    return SetsAnswer.model_validate(services().reason_views.sets(**dict(query)))
