"""The exchange's own books: everything it knows, in memory and in the journal."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from local.paper.core.journal import Records
from local.paper.core.records import (
    Account,
    AlgoOrder,
    ClientId,
    Fill,
    Income,
    Order,
    Position,
    PositionSide,
    Record,
    SymbolConfig,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderChanged:
    """An order moved: ``execution`` is NEW, TRADE, CANCELED, EXPIRED or AMENDMENT.

    ``liquidated`` says that it expired because its position was liquidated.
    """

    order: Order
    execution: str
    fill: Fill | None = None
    liquidated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AlgoChanged:
    """A conditional order moved; ``status`` is the state it passed."""

    algo: AlgoOrder
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountChanged:
    """Wallet or positions moved.

    ``reason`` is ORDER, FUNDING_FEE, INSURANCE_CLEAR or MARGIN_TRANSFER; ``incomes`` are the
    payments that were no fills.
    """

    reason: str
    positions: tuple[Position, ...]
    incomes: tuple[Income, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigChanged:
    """The leverage of a symbol moved."""

    config: SymbolConfig


Event = OrderChanged | AlgoChanged | AccountChanged | ConfigChanged
Key = tuple[str, PositionSide]


class Books:
    """State plus what changed since the last commit. Every public operation ends in ``commit``."""

    def __init__(self, journal: Records, start_balance: Decimal) -> None:
        self._journal = journal
        self._dirty: dict[tuple[str, str], Record] = {}
        self._events: list[Event] = []
        self.listener: Callable[[Event], None] = lambda event: None
        accounts = journal.read("account")
        self.account = Account.from_row(accounts[0]) if accounts else Account(wallet=start_balance)
        self.orders = {one.order_id: one for one in map(Order.from_row, journal.read("order"))}
        self.algos = {one.algo_id: one for one in map(AlgoOrder.from_row, journal.read("algo"))}
        self.fills = sorted(map(Fill.from_row, journal.read("fill")), key=lambda one: one.trade_id)
        self.incomes = sorted(
            map(Income.from_row, journal.read("income")), key=lambda one: one.income_id
        )
        self.version = 0
        """Grows with every change, for those who keep what they computed of the books."""
        self.positions: dict[Key, Position] = {
            (one.symbol, one.position_side): one
            for one in map(Position.from_row, journal.read("position"))
        }
        self.configs = {
            one.symbol: one for one in map(SymbolConfig.from_row, journal.read("config"))
        }
        self.client_ids = {
            (one.purpose, one.client_id): one
            for one in map(ClientId.from_row, journal.read("client_id"))
        }
        self.open_orders = {key: one for key, one in self.orders.items() if one.is_open}
        self.open_algos = {key: one for key, one in self.algos.items() if one.is_open}

    def symbols(self) -> set[str]:
        """Symbols that are held or have open orders."""
        waiting = {one.symbol for one in self.open_orders.values()}
        waiting |= {one.symbol for one in self.open_algos.values()}
        return waiting | {one.symbol for one in self.positions.values() if one.quantity}

    def next_id(self) -> int:
        """A number no record of these books had before."""
        self.account.next_id += 1
        self._mark("account", "main", self.account)
        return self.account.next_id

    def config(self, symbol: str) -> SymbolConfig:
        return self.configs.get(symbol) or SymbolConfig(symbol=symbol)

    def position(self, symbol: str, side: PositionSide) -> Position:
        return self.positions.get((symbol, side)) or Position(symbol=symbol, position_side=side)

    def keep_account(self) -> None:
        self._mark("account", "main", self.account)

    def keep_order(self, order: Order) -> None:
        self.orders[order.order_id] = order
        _index(self.open_orders, order.order_id, order, is_open=order.is_open)
        self._mark("order", str(order.order_id), order)

    def keep_algo(self, algo: AlgoOrder) -> None:
        self.algos[algo.algo_id] = algo
        _index(self.open_algos, algo.algo_id, algo, is_open=algo.is_open)
        self._mark("algo", str(algo.algo_id), algo)

    def keep_position(self, position: Position) -> None:
        self.positions[position.symbol, position.position_side] = position
        self._mark("position", f"{position.symbol}/{position.position_side}", position)

    def keep_config(self, config: SymbolConfig) -> None:
        self.configs[config.symbol] = config
        self._mark("config", config.symbol, config)

    def keep_fill(self, fill: Fill) -> None:
        self.fills.append(fill)
        self._mark("fill", str(fill.trade_id), fill)

    def keep_income(self, income: Income) -> None:
        self.incomes.append(income)
        self._mark("income", str(income.income_id), income)

    def count_client_id(self, purpose: str, client_id: str, identity: int) -> None:
        """Remember that a client's own request with this id was accepted."""
        fresh = ClientId(purpose=purpose, client_id=client_id)
        row = self.client_ids.setdefault((purpose, client_id), fresh)
        row.accepted += 1
        row.ids.append(identity)
        self._mark("client_id", f"{purpose}/{client_id}", row)

    def tell(self, event: Event) -> None:
        """Announce an event once its change is on disk."""
        self._events.append(event)

    def commit(self) -> None:
        """Write what changed in one transaction, then let the listener know.

        The account goes along: it says up to when the market was matched, and what was matched
        twice would follow or fire twice.
        """
        if self._dirty:
            self.keep_account()
            self._journal.write((kind, key, one.row()) for (kind, key), one in self._dirty.items())
            self._dirty.clear()
        events, self._events = self._events, []
        for event in events:
            self.listener(event)

    def close(self) -> None:
        """Close the journal; the books are of no use after that."""
        self._journal.close()

    def _mark(self, kind: str, key: str, record: Record) -> None:
        self._dirty[kind, key] = record
        self.version += 1


def _index[T](index: dict[int, T], key: int, record: T, *, is_open: bool) -> None:
    if is_open:
        index[key] = record
    else:
        index.pop(key, None)
