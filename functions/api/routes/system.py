"""The state of the system as a whole."""

from chalice.app import Blueprint

from models.trading import HealthAnswer
from operation import Reach, operation
from services import services

system = Blueprint(__name__)


def _status(answer: HealthAnswer) -> int:
    """Whoever only reads the status must learn of what cannot wait."""
    return 503 if answer.overall == "critical" else 200


@operation(
    system,
    ("GET",),
    "/api/system/health-check",
    answer=HealthAnswer,
    reach=Reach.ANY,
    also=(503,),
    status_of=_status,
)
def health_check(*, caller: str) -> HealthAnswer:
    """Whether the parts of CTS answer; needs no token and tells no secret."""
    return HealthAnswer.model_validate(services().health())
