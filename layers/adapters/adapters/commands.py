"""Mirror wishes and operator commands: waiting for the position loop, or dealt with."""

from decimal import Decimal
from typing import Any

from pynamodb.expressions.update import Action

from adapters import audited
from adapters.leases import lease_key, wish_actions
from adapters.position_rows import exit_flags
from adapters.tables import AuditRow, CommandRow, LeaseItem
from adapters.transactions import Transaction, reading
from engine.records import Command, CommandKind, Consumed, ExitChange
from engine.values import Exits, IndicationType, Loop, SetKey, Side, Turn, Variant, Wish

DONE_RETENTION_S = 7 * 86_400


def queue(connection_id: str, state: str) -> str:
    """The key of the commands of a connection that are `pending` or `done`."""
    return f"{connection_id}#{state}"


def submit(connection_id: str, command: Command, audit: AuditRow | None = None) -> None:
    """Store a command and count it for the position loop, which then cannot fall asleep.

    An operator's comes with its line in the audit log. The same command twice is one command.
    Whoever submits starts the loop if it is idle.
    """

    def changes(transaction: Transaction) -> None:
        add_pending(transaction, connection_id, command)
        announce(transaction, connection_id, 1)

    if audit is not None:
        audited.commit(audit, changes)
        return
    alone = Transaction()
    changes(alone)
    alone.commit()


def add_wish(
    transaction: Transaction,
    connection_id: str,
    wanted: str,
    *,
    now_ms: int,
    command: Command | None = None,
) -> None:
    """Tell both loops to run, pause or stop, the position loop with a command to obey as well.

    That is one write of its lease row: no wish is opened between the command and the stop.
    """
    for loop in Loop:
        actions = wish_actions(wanted, now_ms=now_ms)
        if loop is Loop.POSITION and command is not None:
            add_pending(transaction, connection_id, command)
            actions.append(LeaseItem.wish_seq.add(1))
        transaction.update(f"{loop} lease", LeaseItem(lease_key(connection_id, loop)), actions)


def add_pending(transaction: Transaction, connection_id: str, command: Command) -> None:
    """Put the command if it is not there yet; one that is there stays as it is."""
    row = CommandRow(queue(connection_id, "pending"), command.command_id)
    actions: list[Action] = [
        CommandRow.kind.set(CommandRow.kind | command.kind),
        CommandRow.created_at_ms.set(CommandRow.created_at_ms | command.created_at_ms),
        CommandRow.position_id.set(CommandRow.position_id | command.position_id),
        CommandRow.reason.set(CommandRow.reason | command.reason),
    ]
    if command.wish is not None:
        actions.append(CommandRow.wish.set(CommandRow.wish | wish_json(command.wish)))
    if command.turn is not None:
        actions.append(CommandRow.turn.set(CommandRow.turn | turn_json(command.turn)))
    if command.exits is not None:
        actions.append(CommandRow.exits.set(CommandRow.exits | exits_json(command.exits)))
    transaction.update(f"command {command.command_id}", row, actions)


def announce(transaction: Transaction, connection_id: str, count: int) -> None:
    """Raise the position loop's `wish_seq`, on which its falling asleep depends."""
    row = LeaseItem(lease_key(connection_id, Loop.POSITION))
    transaction.update("position lease", row, [LeaseItem.wish_seq.add(count)])


def add_done(
    transaction: Transaction, connection_id: str, consumed: Consumed, *, now_ms: int
) -> None:
    """Move a command from `pending` to those dealt with."""
    name = f"command {consumed.command_id}"
    transaction.delete(name, CommandRow(queue(connection_id, "pending"), consumed.command_id))
    done = CommandRow(
        queue(connection_id, "answered" if is_operators(consumed.kind) else "done"),
        consumed.command_id,
        kind=consumed.kind or None,
        position_id=consumed.position_id or None,
        created_at_ms=consumed.created_at_ms or None,
        outcome=consumed.outcome,
        reason=consumed.reason,
        numbers=dict(consumed.numbers),
        done_at_ms=now_ms,
        expires_at=now_ms // 1000 + DONE_RETENTION_S,
    )
    transaction.put(name, done)


def is_operators(kind: str) -> bool:
    """Whether it is what an operator commands."""
    return kind in CommandKind and CommandKind(kind).is_operators


def answered(connection_id: str, *, before: str | None, limit: int) -> tuple[CommandRow, ...]:
    """Rows of what operators commanded and was dealt with, the latest first, before `before`."""
    older = None if before is None else CommandRow.command_id < before
    with reading("answered commands"):
        rows = CommandRow.query(
            queue(connection_id, "answered"),
            older,
            consistent_read=True,
            scan_index_forward=False,
            limit=limit,
        )
        return tuple(rows)


def pending(connection_id: str) -> tuple[Command, ...]:
    """Every waiting command, oldest first, read strongly."""
    with reading("pending commands"):
        rows = CommandRow.query(queue(connection_id, "pending"), consistent_read=True)
        return tuple(_command_of(row) for row in rows)


def wish_command(wish: Wish, *, now_ms: int) -> Command:
    """A wish as the command that carries it."""
    return Command(command_id=wish.wish_id, kind="wish", created_at_ms=now_ms, wish=wish)


def turn_command(turn: Turn, *, now_ms: int) -> Command:
    """A turn as the command that carries it."""
    return Command(command_id=turn.turn_id, kind="strategy_exit", created_at_ms=now_ms, turn=turn)


def wish_json(wish: Wish) -> dict[str, Any]:
    """A wish as JSON; decimals as text."""
    exits = wish.key.exits
    return {
        "symbol": wish.key.symbol,
        "indication": str(wish.key.indication),
        "parameter": wish.key.parameter,
        "variant": wish.key.variant.text,
        "side": str(wish.key.side),
        "take_profit_pct": str(exits.take_profit_pct),
        "stop_loss_pct": str(exits.stop_loss_pct),
        "trail_start_pct": str(exits.trail_start_pct),
        "trail_stop_pct": str(exits.trail_stop_pct),
        "exit_flags": list(exits.flags),
        "entry_close_ms": wish.entry_close_ms,
        "price": str(wish.price),
        "size_ratio": str(wish.size_ratio),
    }


def wish_of(values: dict[str, Any]) -> Wish:
    """The wish that `wish_json` wrote."""
    return Wish(
        key=SetKey(
            symbol=values["symbol"],
            indication=IndicationType(values["indication"]),
            parameter=values["parameter"],
            variant=Variant.of(values["variant"]),
            side=Side(values["side"]),
            exits=Exits(
                take_profit_pct=Decimal(values["take_profit_pct"]),
                stop_loss_pct=Decimal(values["stop_loss_pct"]),
                trail_start_pct=Decimal(values["trail_start_pct"]),
                trail_stop_pct=Decimal(values["trail_stop_pct"]),
                **exit_flags(values["exit_flags"]),
            ),
        ),
        entry_close_ms=values["entry_close_ms"],
        price=Decimal(values["price"]),
        size_ratio=Decimal(values["size_ratio"]),
    )


def turn_json(turn: Turn) -> dict[str, Any]:
    """A turn as JSON."""
    return {
        "symbol": turn.symbol,
        "indication": str(turn.indication),
        "parameter": turn.parameter,
        "variant": turn.variant.text,
        "side": str(turn.side),
        "at_ms": turn.at_ms,
    }


def turn_of(values: dict[str, Any]) -> Turn:
    """The turn that `turn_json` wrote."""
    return Turn(
        symbol=values["symbol"],
        indication=IndicationType(values["indication"]),
        parameter=values["parameter"],
        variant=Variant.of(values["variant"]),
        side=Side(values["side"]),
        at_ms=values["at_ms"],
    )


def exits_json(change: ExitChange) -> dict[str, Any]:
    """A change of exits as JSON; decimals as text."""
    prices = {"stop_price": change.stop_price, "target_price": change.target_price}
    texts = {name: None if price is None else str(price) for name, price in prices.items()}
    return texts | {"allow_looser": change.allow_looser}


def exits_of(values: dict[str, Any]) -> ExitChange:
    """The change that `exits_json` wrote."""
    stop, target = values["stop_price"], values["target_price"]
    return ExitChange(
        stop_price=None if stop is None else Decimal(stop),
        target_price=None if target is None else Decimal(target),
        allow_looser=bool(values["allow_looser"]),
    )


def _command_of(row: CommandRow) -> Command:
    return Command(
        command_id=row.command_id,
        kind=row.kind,
        created_at_ms=row.created_at_ms,
        wish=wish_of(row.wish) if row.wish else None,
        turn=turn_of(row.turn) if row.turn else None,
        exits=exits_of(row.exits) if row.exits else None,
        position_id=row.position_id or "",
        reason=row.reason or "",
    )
