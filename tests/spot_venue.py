"""The fake venue as a spot market: balances that can be locked, and fees in what was bought."""

from dataclasses import replace
from decimal import Decimal

from tests.fake_venue import FakeVenue, VenueRow

from engine.ledger import Fill, FillKind, Order, OrderState, OrderType, Purpose
from engine.orders import parsed
from engine.values import OrderSide, Side

SPOT_FEE = Decimal("0.0004321")
"""Of what is bought; uneven, so that it leaves less than a step."""


class SpotVenue(FakeVenue):
    """Assets are held, never owed.

    What waits to be sold is locked. A sale at the market cancels the stop of its own position in
    the same request, as the adapter has the venue do.
    """

    def free(self, symbol: str) -> Decimal:
        """What may still be sold of an asset."""
        locked = (row.order.quantity - row.filled for row in self._sales(symbol))
        return self.quantity(symbol, Side.LONG) - sum(locked, Decimal(0))

    def trade_outside(self, symbol: str, side: Side, quantity: Decimal) -> None:
        """Whoever sells by hand first frees what is locked."""
        if quantity < 0:
            for row in self._sales(symbol):
                self._end(row, OrderState.CANCELLED)
        FakeVenue.trade_outside(self, symbol, side, quantity)

    def _refused(self, order: Order) -> str:
        if order.side is Side.SHORT:
            return "what is not held cannot be sold"
        if order.reduce_only and order.order_type is OrderType.MARKET:
            self._cancel_stop_of(order)
        price = order.trigger_price or self.prices[order.symbol]
        if order.quantity * price < self.instruments_by_symbol[order.symbol].min_notional:
            return "filter failure: NOTIONAL"
        if not order.reduce_only:
            return ""
        return "" if self.free(order.symbol) >= order.quantity else "insufficient balance"

    def _fillable(self, row: VenueRow) -> Decimal:
        return row.order.quantity - row.filled

    def _trade(
        self,
        client_id: str,
        exchange_id: str,
        symbol: str,
        side: Side,
        *,
        closing: bool,
        quantity: Decimal,
        kind: FillKind = FillKind.TRADE,
    ) -> Fill:
        """The fee comes off what is received: the asset itself when it is bought."""
        made = FakeVenue._trade(
            self,
            client_id,
            exchange_id,
            symbol,
            side,
            closing=closing,
            quantity=quantity,
            kind=kind,
        )
        if made.order_side is OrderSide.SELL:
            return made
        self.cash += made.fee
        fee = quantity * SPOT_FEE
        made = replace(made, fee=fee, fee_asset=self.instruments_by_symbol[symbol].base)
        self.positions[symbol, side] -= fee
        self.trades[-1] = made
        return made

    def _sales(self, symbol: str) -> list[VenueRow]:
        return [row for row in self.live() if row.order.symbol == symbol and row.order.reduce_only]

    def _cancel_stop_of(self, order: Order) -> None:
        own = parsed(order.client_order_id)
        for row in self._sales(order.symbol):
            name = parsed(row.order.client_order_id)
            is_own = own is not None and name is not None and name.position_id == own.position_id
            if is_own and row.order.purpose is Purpose.STOP:
                self._end(row, OrderState.CANCELLED)
