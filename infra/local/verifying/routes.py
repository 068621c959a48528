"""The item about routes: each one the console calls is served, and guarded."""

import ast

from local.places import ROOT
from local.verifying.items import Finding, Visit

CLIENT = ROOT / "notebooks" / "console" / "client.py"


def served(visit: Visit) -> Finding:
    """Each route the console calls refuses a caller without a token, and so does nothing.

    A route that does not exist is told as such before anybody's token is looked at.
    """
    routes = console_routes()
    answers = {
        f"{method} {path}": visit.api.ask(method, path, with_token=False).status
        for method, path in routes
    }
    missing = [f"{route} answered {status}" for route, status in answers.items() if status != 401]
    if missing:
        return Finding(holds=False, seen="; ".join(missing))
    return Finding(holds=True, seen=f"all {len(routes)} routes the console calls are served")


def console_routes() -> list[tuple[str, str]]:
    """Method and path of each, read from the console's source: nothing here may import it."""
    for node in ast.walk(ast.parse(CLIENT.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "ROUTES":
            found: dict[str, tuple[str, str]] = ast.literal_eval(node.value)
            return list(found.values())
    raise LookupError(f"{CLIENT} names no ROUTES")
