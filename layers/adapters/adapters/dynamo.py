"""The one connection to DynamoDB of a process: opening a client costs a tenth of a second."""

from functools import cache

from pynamodb.connection import Connection

from adapters import environment


@cache
def connection() -> Connection:
    """The connection that all models and transactions share."""
    return Connection(
        region=environment.region(),
        host=environment.endpoint("dynamodb"),
        connect_timeout_seconds=environment.CONNECT_TIMEOUT_S,
        read_timeout_seconds=environment.READ_TIMEOUT_S,
        max_retry_attempts=environment.MAX_RETRIES,
        max_pool_connections=20,
    )
