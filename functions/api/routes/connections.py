"""Exchange connections: create, read, change, test, switch."""

from chalice.app import Blueprint

from models.connections import (
    ConnectionAnswer,
    ConnectionChange,
    ConnectionFilter,
    ConnectionsAnswer,
    Created,
    Deleted,
    Flags,
    NewConnection,
    TestAnswer,
)
from operation import Reach, operation
from services import services

connections = Blueprint(__name__)
ALL = "/api/settings/connections"
ONE = "/api/settings/connections/{connection_id}"
NOT_STORED = {"api_key", "api_secret", "api_passphrase", "connection_library"}


@operation(
    connections,
    ("GET",),
    ALL,
    query=ConnectionFilter,
    answer=ConnectionsAnswer,
    reach=Reach.LISTED,
)
def list_connections(
    *, query: ConnectionFilter, caller: str, within: frozenset[str] | None
) -> ConnectionsAnswer:
    """List all connections, secrets masked."""
    filters = query.model_dump(exclude_none=True)
    found = services().connections.all(
        exchange=query.exchange,
        api_type=query.apiType,
        enabled=query.enabled,
        active=query.active,
    )
    found = [one for one in found if within is None or one["id"] in within]
    return ConnectionsAnswer.model_validate(
        {"count": len(found), "filters": filters, "connections": found}
    )


@operation(connections, ("POST",), ALL, body=NewConnection, answer=Created, status=201)
def create_connection(*, body: NewConnection, caller: str) -> Created:
    """Create a connection; its credentials are sealed and never shown again."""
    fields = body.model_dump(exclude=NOT_STORED)
    made = services().connections.create(fields, _credentials(body), by=caller)
    message = f"connection {body.name} was created; test it to activate it"
    return Created.model_validate({"id": made["id"], "message": message, "connection": made})


@operation(connections, ("GET",), ONE, answer=ConnectionAnswer, failures=(404,))
def get_connection(connection_id: str, *, caller: str) -> ConnectionAnswer:
    """Get one connection, secrets masked."""
    return ConnectionAnswer.model_validate(
        {"connection": services().connections.one(connection_id)}
    )


@operation(
    connections,
    ("PUT", "PATCH"),
    ONE,
    body=ConnectionChange,
    answer=ConnectionAnswer,
    failures=(404, 409),
)
def change_connection(
    connection_id: str, *, body: ConnectionChange, caller: str
) -> ConnectionAnswer:
    """Change a connection; new credentials must be tested before the next start."""
    secret = {"api_key", "api_secret", "api_passphrase", "version"}
    changed = services().connections.change(
        connection_id,
        body.model_dump(exclude=secret, exclude_none=True),
        _credentials(body),
        version=body.version,
        by=caller,
    )
    return ConnectionAnswer.model_validate(
        {"message": f"connection {changed['name']} was changed", "connection": changed}
    )


@operation(connections, ("DELETE",), ONE, answer=Deleted, failures=(404, 409))
def delete_connection(connection_id: str, *, caller: str) -> Deleted:
    """Delete a connection whose engine is stopped and that holds no position."""
    services().connections.delete(connection_id, by=caller)
    return Deleted(id=connection_id, message="the connection was deleted")


@operation(connections, ("POST",), f"{ONE}/test", answer=TestAnswer, failures=(404,))
def test_connection(connection_id: str, *, caller: str) -> TestAnswer:
    """Test a connection at its venue; success activates it."""
    return TestAnswer.model_validate(services().connections.test(connection_id, by=caller))


@operation(
    connections,
    ("POST",),
    f"{ONE}/toggle",
    body=Flags,
    answer=ConnectionAnswer,
    failures=(404, 409),
)
def toggle_connection(connection_id: str, *, body: Flags, caller: str) -> ConnectionAnswer:
    """Switch a connection; switching it off stops its engine first."""
    flags = body.model_dump(exclude={"version"}, exclude_none=True)
    switched = services().connections.toggle(connection_id, flags, version=body.version, by=caller)
    on = ", ".join(name for name, value in flags.items() if value) or "nothing"
    return ConnectionAnswer.model_validate(
        {"message": f"switched on: {on}", "connection": switched}
    )


def _credentials(body: NewConnection | ConnectionChange) -> dict[str, str]:
    """The secrets of a body under the names the venue adapter knows; empty without any."""
    sent = {
        "api_key": body.api_key,
        "api_secret": body.api_secret,
        "api_passphrase": body.api_passphrase,
    }
    return {name: value.get_secret_value() for name, value in sent.items() if value is not None}
