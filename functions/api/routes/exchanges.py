"""Venues: what each can do, and how far it is supported."""

from chalice.app import Blueprint

from adapters.capabilities import exchanges as all_exchanges
from models.exchanges import ExchangesAnswer
from operation import Reach, operation

exchanges = Blueprint(__name__)


@operation(exchanges, ("GET",), "/api/exchanges", answer=ExchangesAnswer, reach=Reach.ANY)
def list_exchanges(*, caller: str) -> ExchangesAnswer:
    """Every venue with its level of support and why."""
    found = all_exchanges()
    return ExchangesAnswer.model_validate({"count": len(found), "exchanges": found})
