"""What a process is told by its environment; nothing below the adapters reads it."""

import os

# A loop of 0.3 s cannot wait for the SDK's own defaults (a minute and four retries).
CONNECT_TIMEOUT_S = 1.0
READ_TIMEOUT_S = 1.5
MAX_RETRIES = 1


def region() -> str:
    """The AWS region of this process."""
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"


def endpoint(service: str) -> str | None:
    """The address that replaces the one of AWS for `service`, or None for AWS itself."""
    named = os.environ.get(f"AWS_ENDPOINT_URL_{service.upper()}")
    return named or os.environ.get("AWS_ENDPOINT_URL")


def table(name: str) -> str:
    """The full name of a table of this deployment."""
    return f"{os.environ.get('CTS_TABLE_PREFIX', 'cts')}-{name}"


def lambda_memory_mb() -> int | None:
    """What Lambda gave this worker, in MB; None outside of it."""
    given = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "")
    return int(given) if given.isdigit() else None


def required(name: str) -> str:
    """The value of an environment variable that must be set.

    Raises
    ------
    KeyError
        Naming the variable.
    """
    value = os.environ.get(name)
    if not value:
        raise KeyError(f"environment variable {name} must be set")
    return value


def optional(name: str) -> str:
    """The value of an environment variable, empty if it is not set."""
    return os.environ.get(name, "")


def is_local() -> bool:
    """Whether this deployment is the twin on one machine."""
    return optional("CTS_ENVIRONMENT") == "local"
