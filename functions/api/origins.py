"""Which other sites' pages may call: those that the deployment names, and none unless it does."""

import os
import re
from collections.abc import Mapping, Set
from dataclasses import dataclass
from functools import cache

from chalice.app import Request, Response

from engine.errors import RefusedError

NAMES = "CTS_API_ORIGINS"
_ORIGIN = re.compile(r"https://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?", re.ASCII)
_HEADERS = "Authorization, Content-Type, Idempotency-Key"
_TOLD = "Allow, Retry-After"
_PREFLIGHT_SECONDS = "600"


@dataclass(frozen=True, slots=True)
class Origins:
    """Origins written out, such as `https://desk.example:8443`: no pattern and no `*`.

    No cookie or other credential of the browser is asked for: a page must send a token itself.
    """

    allowed: Set[str]

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "Origins":
        """What CTS_API_ORIGINS names, separated by spaces.

        Raises
        ------
        RefusedError
            Naming what is no origin of https.
        """
        named = environ.get(NAMES, "").split()
        for one in named:
            if not _ORIGIN.fullmatch(one):
                raise RefusedError(
                    f"{NAMES} must hold origins such as https://desk.example:8443, held {one!r}"
                )
        return cls(frozenset(named))

    def tell(self, request: Request, response: Response) -> Response:
        """The answer with what lets a page of an allowed origin read it; else as it was."""
        if not self.allowed:
            return response
        response.headers["Vary"] = "Origin"
        origin = request.headers.get("origin", "")
        if origin not in self.allowed:
            return response
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = _TOLD
        if request.method == "OPTIONS" and "Allow" in response.headers:
            response.headers["Access-Control-Allow-Methods"] = response.headers["Allow"]
            response.headers["Access-Control-Allow-Headers"] = _HEADERS
            response.headers["Access-Control-Max-Age"] = _PREFLIGHT_SECONDS
        return response


@cache
def origins() -> Origins:
    """Those of this deployment."""
    return Origins.of(os.environ)
