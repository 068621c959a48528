"""What all tables share: where they are and how long a call may take."""

from pynamodb.indexes import AllProjection

from adapters import environment
from adapters.environment import table

__all__ = ["IndexMeta", "Meta", "table"]


class Meta:
    """Settings of every model; the defaults of the library wait far too long for a 0.3 s loop."""

    region = environment.region()
    host = environment.endpoint("dynamodb")
    billing_mode = "PAY_PER_REQUEST"
    connect_timeout_seconds = environment.CONNECT_TIMEOUT_S
    read_timeout_seconds = environment.READ_TIMEOUT_S
    max_retry_attempts = environment.MAX_RETRIES
    max_pool_connections = 20


class IndexMeta:
    """Settings of every local secondary index: whole rows, read strongly where asked."""

    projection = AllProjection()
