"""Clients of AWS, made once a process, each with the patience of whoever calls."""

import logging
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from adapters import environment

# At DEBUG it prints what it sends and hears whole: opened credentials, too.
logging.getLogger("botocore").setLevel(logging.INFO)


@cache
def client(
    service: str,
    *,
    connect_s: float = environment.CONNECT_TIMEOUT_S,
    read_s: float = environment.READ_TIMEOUT_S,
    attempts: int = 1 + environment.MAX_RETRIES,
) -> Any:
    """A client of `service`; without more words one that a loop can wait for."""
    settings = Config(
        connect_timeout=connect_s,
        read_timeout=read_s,
        retries={"total_max_attempts": attempts, "mode": "standard"},
    )
    return boto3.client(service, region_name=environment.region(), config=settings)
