"""What the tables' stand-in answers to a request: taken once, and given again.

Tables are moto's, which answers botocore where it would send the request: the time in there is a
stand-in's, and it pushes the API's own code out of the processor's caches before every further
call. A request that is repeated with the very answers it had runs nothing else.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from moto.core.botocore_stubber import BotocoreStubber, MockRawResponse


@dataclass(frozen=True, slots=True)
class Taken:
    """One answer, and the operation that it was given to."""

    operation: str
    status: int
    headers: Any
    body: bytes


@dataclass(slots=True)
class Store:
    """Takes the stand-in's answers, and gives them in its place."""

    taken: list[Taken] = field(default_factory=list)
    seconds: float = 0.0
    """Processor time in the stand-in since `forget`."""
    _giving: Iterator[Taken] | None = None

    def forget(self) -> None:
        """Begin anew with the next request."""
        self.taken.clear()
        self.seconds = 0.0

    @contextmanager
    def giving(self, taken: Sequence[Taken]) -> Iterator[None]:
        """Give these answers, every one of them, to a request that asks as it asked then."""
        self._giving = iter(taken)
        yield
        left = list(self._giving)
        self._giving = None
        assert not left, f"not asked for this time: {[one.operation for one in left]}"

    def answer(self, asked: Callable[..., AWSResponse], request: AWSPreparedRequest) -> AWSResponse:
        """What was taken, or what the stand-in says now; what threads ask is no request's."""
        if threading.current_thread() is not threading.main_thread():
            return asked()
        operation = (request.headers.get("X-Amz-Target") or b"").decode()
        if self._giving is not None:
            one = next(self._giving, None)
            assert one is not None, f"asked for more than last time: {operation}"
            assert one.operation == operation, (one.operation, operation)
            return AWSResponse(request.url, one.status, one.headers, MockRawResponse(one.body))
        begun = time.thread_time()
        told = asked()
        self.taken.append(Taken(operation, told.status_code, told.headers, told.content))
        self.seconds += time.thread_time() - begun
        return told


@contextmanager
def store_in_between() -> Iterator[Store]:
    """Whatever is asked of the stand-in goes through this."""
    store = Store()
    answer: Callable[..., Any] = BotocoreStubber.__call__

    def answered(
        stub: BotocoreStubber, event_name: str, request: AWSPreparedRequest, **named: Any
    ) -> AWSResponse:
        return store.answer(lambda: answer(stub, event_name, request, **named), request)

    BotocoreStubber.__call__ = answered
    try:
        yield store
    finally:
        BotocoreStubber.__call__ = answer
