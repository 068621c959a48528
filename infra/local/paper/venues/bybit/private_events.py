"""Changes of the books as messages of the private stream."""

from local.paper.core.books import AccountChanged, AlgoChanged, Event, OrderChanged
from local.paper.core.exchange import PaperExchange
from local.paper.core.records import Fill
from local.paper.venues.bybit import account, order_shapes
from local.paper.venues.bybit.shapes import Json, money, uuid

TOPICS = ("order", "execution", "position", "wallet")
# Of a conditional order that fires, the order it becomes speaks from then on.
_SPOKEN_FOR = ("TRIGGERED", "FINISHED")
_LINEAR = {"category": "linear"}


class PrivateEvents:
    """Builds messages; reads books and prices, changes nothing."""

    def __init__(self, exchange: PaperExchange) -> None:
        self._exchange = exchange

    def messages(self, event: Event) -> list[Json]:
        """The messages of an event, one a topic."""
        match event:
            case OrderChanged():
                return self._order(event)
            case AlgoChanged() if event.status not in _SPOKEN_FOR:
                return [self._message("order", [_LINEAR | _waiting(event)])]
            case AccountChanged():
                return self._account(event)
        return []

    def _order(self, event: OrderChanged) -> list[Json]:
        row = _LINEAR | order_shapes.order(self._exchange.books, event.order)
        told = [self._message("order", [row])]
        if event.fill is not None:
            told.insert(0, self._message("execution", [self._execution(event.fill)]))
        return told

    def _account(self, event: AccountChanged) -> list[Json]:
        rows = [
            _LINEAR | row | {"entryPrice": row["avgPrice"]}
            for row in (account.position_row(self._exchange, one) for one in event.positions)
        ]
        told = [
            self._message("position", rows),
            self._message("wallet", [account.account_row(self._exchange)]),
        ]
        paid = [
            _LINEAR | order_shapes.settlement(one)
            for one in event.incomes
            if one.kind == "FUNDING_FEE"
        ]
        return [self._message("execution", paid), *told] if paid else told

    def _execution(self, fill: Fill) -> Json:
        row = order_shapes.execution(self._exchange.books, fill)
        return (
            _LINEAR | row | {"isLeverage": "0", "execPnl": money(fill.realized), "marketUnit": ""}
        )

    def _message(self, topic: str, rows: list[Json]) -> Json:
        books = self._exchange.books
        return {
            "id": uuid(books.account.next_id), "topic": topic,
            "creationTime": self._exchange.now_ms(), "data": rows,
        }  # fmt: skip


def _waiting(event: AlgoChanged) -> Json:
    """The state it passed, which may not be the one it has by now."""
    row = order_shapes.conditional(event.algo)
    if event.status == "TRIGGERING":
        return row | {"orderStatus": "Triggered"}
    return row
