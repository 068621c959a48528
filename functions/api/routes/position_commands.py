"""What an operator commands of positions: close one, all, the profitable; move stop and target."""

from chalice.app import Blueprint

from models.commands import (
    CloseAllRequest,
    CommandAnswer,
    CommandsAnswer,
    CommandsQuery,
    ExitsRequest,
)
from models.engine import Explained
from operation import operation
from services import services

position_commands = Blueprint(__name__)


def _owner(position_id: str) -> str:
    return services().position_commands.connection_of(position_id)


@operation(
    position_commands,
    ("POST",),
    "/api/positions/{id}/close",
    body=Explained,
    answer=CommandAnswer,
    owner=_owner,
    status=202,
    failures=(404, 409),
)
def close_position(id: str, *, body: Explained, caller: str) -> CommandAnswer:
    """Close one position at the market; `id` is the position's, which names its connection.

    The position loop obeys in its next tick; what became of it is told by `/api/commands`.
    """
    made = services().position_commands.close(id, by=caller, reason=body.reason)
    return CommandAnswer.model_validate(made)


@operation(
    position_commands,
    ("PUT", "PATCH"),
    "/api/positions/{id}",
    body=ExitsRequest,
    answer=CommandAnswer,
    owner=_owner,
    status=202,
    failures=(404, 409),
)
def change_position(id: str, *, body: ExitsRequest, caller: str) -> CommandAnswer:
    """Give a position another stop or target; `id` is the position's.

    The stop must lie on the losing side of the last price, the target on the winning side. The
    venue's orders are replaced without a bare moment where the venue allows two. A stop looser than
    the configured one needs `allowLooser` and is told as such; a trailing stop is never loosened.
    """
    made = services().position_commands.change(id, body.change, by=caller, reason=body.reason)
    return CommandAnswer.model_validate(made)


@operation(
    position_commands,
    ("POST",),
    "/api/positions/close-all",
    body=CloseAllRequest,
    answer=CommandAnswer,
    status=202,
    failures=(404,),
)
def close_all_positions(*, body: CloseAllRequest, caller: str) -> CommandAnswer:
    """Close every position of one connection, or of all; the engines run on."""
    made = services().position_commands.close_all(body.connection_id, by=caller, reason=body.reason)
    return CommandAnswer.model_validate(made)


@operation(
    position_commands,
    ("POST",),
    "/api/positions/close-profitable",
    body=CloseAllRequest,
    answer=CommandAnswer,
    status=202,
    failures=(404,),
)
def close_profitable_positions(*, body: CloseAllRequest, caller: str) -> CommandAnswer:
    """Close the positions that gain at the last price, all fees paid."""
    made = services().position_commands.close_profitable(
        body.connection_id, by=caller, reason=body.reason
    )
    return CommandAnswer.model_validate(made)


@operation(
    position_commands,
    ("GET",),
    "/api/commands",
    query=CommandsQuery,
    answer=CommandsAnswer,
    failures=(404,),
)
def list_commands(*, query: CommandsQuery, caller: str) -> CommandsAnswer:
    """What operators commanded of one connection's positions, and what became of it."""
    return CommandsAnswer.model_validate(services().position_commands.listed(**dict(query)))
