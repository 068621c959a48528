"""The one connection to DynamoDB of a process: opening a client costs a tenth of a second.

Rows are taken as the wire has them. botocore would walk every value of every row through its model
of all the kinds a value may have, which takes longer than all else that is done with most rows.
"""

import re
from base64 import b64decode
from functools import cache
from typing import Any

from botocore.config import Config
from botocore.parsers import JSONParser, ResponseParserFactory
from botocore.session import Session
from pynamodb.connection import Connection

from adapters import environment

_NAME = "cts"
_FACTORY = "response_parser_factory"
_AS_IT_COMES = frozenset({"S", "N", "BOOL", "NULL", "SS", "NS"})
_ROWS = frozenset({"GetItemOutput", "QueryOutput", "BatchGetItemOutput"})
_BYTES = re.compile(rb'"BS?"')  # no text holds it: its quotes would be escaped


@cache
def connection() -> Connection:
    """The connection that all models and transactions share."""
    return _Connection(
        region=environment.region(),
        host=environment.endpoint("dynamodb"),
        connect_timeout_seconds=environment.CONNECT_TIMEOUT_S,
        read_timeout_seconds=environment.READ_TIMEOUT_S,
        max_retry_attempts=environment.MAX_RETRIES,
        max_pool_connections=20,
    )


class RowParser(JSONParser):  # type: ignore[misc]  # botocore has no types
    """botocore's parser, but for rows: their values are told by kind already.

    Where there are no bytes among them, the answer is what its JSON says.
    """

    def _handle_json_body(self, raw_body: bytes, shape: Any) -> dict[str, Any]:
        if shape is None or shape.name not in _ROWS or _BYTES.search(raw_body):
            parsed: dict[str, Any] = super()._handle_json_body(raw_body, shape)
            return parsed
        told: dict[str, Any] = self._parse_body_as_json(raw_body)
        return told

    def _handle_map(self, shape: Any, value: dict[str, Any]) -> dict[str, Any]:
        if shape.value.name != "AttributeValue":
            parsed: dict[str, Any] = super()._handle_map(shape, value)
            return parsed
        return {
            name: one if next(iter(one)) in _AS_IT_COMES else _taken(one)
            for name, one in value.items()
        }


class _Parsers(ResponseParserFactory):  # type: ignore[misc]
    """Gives a client of DynamoDB, whose protocol is "json", the parser of rows."""

    def create_parser(self, protocol_name: str) -> Any:
        if protocol_name != "json":
            return super().create_parser(protocol_name)
        return RowParser(**self._defaults)


class _Connection(Connection):
    @property
    def session(self) -> Session:
        """The session of this thread; a client is made from it.

        Without a name of its own botocore puts one together anew for each request.
        """
        own = super().session
        own.set_default_client_config(Config(user_agent=_NAME))
        own.register_component(_FACTORY, _Parsers())
        return own


def _taken(value: dict[str, Any]) -> dict[str, Any]:
    """A value as pynamodb takes it: bytes are no text, at whatever depth."""
    kind, held = next(iter(value.items()))
    if kind in _AS_IT_COMES:
        return value
    if kind == "B":
        return {kind: b64decode(held)}
    if kind == "BS":
        return {kind: [b64decode(one) for one in held]}
    if kind == "M":
        return {kind: {name: _taken(one) for name, one in held.items()}}
    return {kind: [_taken(one) for one in held]}
