"""One asyncio loop for each container: sockets opened in one invocation live on in the next."""

import asyncio
from collections.abc import Coroutine
from functools import cache
from typing import Any


@cache
def _runner() -> asyncio.Runner:
    return asyncio.Runner()


def run[T](work: Coroutine[Any, Any, T]) -> T:
    """Run `work` on this container's loop; other tasks of the loop turn only meanwhile."""
    return _runner().run(work)
