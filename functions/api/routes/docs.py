"""The reference: the API's own description, for programs and for people."""

from functools import cache
from typing import Any

from chalice.app import Blueprint, Chalice, Response

from operation import operation
from reference.document import document
from reference.page import page, page_policy

docs = Blueprint(__name__)
_A_WHILE = "public, max-age=300"


@operation(docs, ("GET",), "/api/openapi.json", answer=None)
def api_description(*, caller: str) -> Response:
    """The API as an OpenAPI 3.0 document; needs no token and tells no secret."""
    headers: dict[str, str | list[str]] = {
        "Content-Type": "application/json",
        "Cache-Control": _A_WHILE,
    }
    return Response(body=_document(docs.current_app), headers=headers)


@operation(docs, ("GET",), "/api/docs", answer=None, media="text/html")
def api_page(*, caller: str) -> Response:
    """The same as a page to read and to try; needs no token and asks nothing of other sites."""
    headers: dict[str, str | list[str]] = {
        "Content-Type": "text/html; charset=utf-8",
        "Cache-Control": _A_WHILE,
        "Content-Security-Policy": page_policy(),
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(body=page(), headers=headers)


@cache
def _document(app: Chalice) -> dict[str, Any]:
    return document(app)
