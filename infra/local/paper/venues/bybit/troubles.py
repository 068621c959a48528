"""Bybit's words for what is wrong with Bybit."""

from local.paper.wire import Answer, Json, Trouble

_HTML = "<html><head><title>{reason}</title></head><body><h1>{reason}</h1></body></html>"
_ABROAD = (
    "The Amazon CloudFront distribution is configured to block access from your country."
    " We can't connect to the server for this app or website at this time."
)
_PAGES = {
    Trouble.FORBIDDEN: (403, "access too frequent"),
    Trouble.RESTRICTED: (403, _ABROAD),
    Trouble.BAD_GATEWAY: (502, "502 Bad Gateway"),
}
_WORDS: dict[Trouble, tuple[int, str]] = {
    Trouble.RATE_LIMIT: (10006, "Too many visits. Exceeded the API Rate Limit."),
    Trouble.BANNED: (10018, "Exceeded the IP Rate Limit."),
    Trouble.INTERNAL: (10016, "Internal server error."),
    Trouble.UNKNOWN_RESULT: (10016, "Internal server error."),
    Trouble.OVERLOADED: (10429, "System level frequency protection"),
    Trouble.TIMEOUT: (10000, "Server Timeout"),
    Trouble.MAINTENANCE: (110066, "Trading is currently not allowed."),
    Trouble.KEY_REVOKED: (10003, "API key is invalid."),
    Trouble.CLOCK_REFUSED: (
        10002,
        "invalid request, please check your server timestamp or recv_window param.",
    ),
}


def troubled(trouble: Trouble, *, until_ms: int, now_ms: int) -> Answer:
    """The answer for a trouble.

    Counters say in a header when they begin anew; the firewall, which shuts out whoever goes on,
    does not say for how long. A look-up that finds nothing is an empty list, not an error.
    """
    if trouble in _PAGES:
        status, reason = _PAGES[trouble]
        page = {"Content-Type": "text/html"}
        return Answer(raw=_HTML.format(reason=reason), status=status, headers=page)
    if trouble is Trouble.NO_SUCH_ORDER:
        return Answer(body=said(0, "OK", now_ms, {"list": [], "nextPageCursor": ""}))
    code, message = _WORDS[trouble]
    is_limit = trouble in (Trouble.RATE_LIMIT, Trouble.BANNED)
    headers = {"X-Bapi-Limit-Status": "0", "X-Bapi-Limit-Reset-Timestamp": str(until_ms)}
    return Answer(body=said(code, message, now_ms), headers=headers if is_limit else {})


def rejected(code: str, message: str, now_ms: int) -> Answer:
    """A request refused by a code of its own."""
    return Answer(body=said(int(code), message, now_ms))


def said(code: int, message: str, now_ms: int, result: Json = None) -> Json:
    """The frame of every answer."""
    return {
        "retCode": code, "retMsg": message, "result": {} if result is None else result,
        "retExtInfo": {}, "time": now_ms,
    }  # fmt: skip
