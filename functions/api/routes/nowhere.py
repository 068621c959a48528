"""What no route serves: 404, 405 with what is allowed, and what OPTIONS asks.

A REST gateway sends it here through its last resort, `/{proxy+}`; the answer needs no token, as the
list of routes is no secret.
"""

import re

from chalice.app import Chalice, Request, Response

from answers import failure


def answer_elsewhere(app: Chalice, request: Request) -> Response | None:
    """The answer to a path or method no route serves; None if one does."""
    resource = str(request.context.get("resourcePath"))
    if request.method in app.routes.get(resource, {}):
        return None
    asked = f"/{(request.uri_params or {}).get('proxy', '')}"
    allowed = _allowed(app, resource if resource in app.routes else asked)
    if not allowed:
        return failure(404, "there is no such route; GET /api/docs shows all")
    allow = ", ".join([*sorted(allowed), "OPTIONS"])
    if request.method == "OPTIONS":
        return Response(body="", status_code=204, headers={"Allow": allow})
    made = failure(405, f"this route does not know {request.method}; it knows {allow}")
    made.headers["Allow"] = allow
    return made


def _allowed(app: Chalice, path: str) -> set[str]:
    """The methods of every route whose template fits this path."""
    found: set[str] = set()
    for template, methods in app.routes.items():
        if template == path or re.fullmatch(re.sub(r"{[^}]*}", "[^/]+", template), path):
            found |= set(methods)
    return found
