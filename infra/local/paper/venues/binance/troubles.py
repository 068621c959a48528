"""Binance's words for what is wrong with Binance."""

from local.paper.wire import Answer, Trouble

_GATEWAY = (
    "<html>\r\n<head><title>{reason}</title></head>\r\n<body>\r\n"
    "<center><h1>{reason}</h1></center>\r\n</body>\r\n</html>\r\n"
)
_PAGES = {Trouble.FORBIDDEN: (403, "403 Forbidden"), Trouble.BAD_GATEWAY: (502, "502 Bad Gateway")}
_WORDS: dict[Trouble, tuple[int, int, str]] = {
    Trouble.RATE_LIMIT: (
        429,
        -1003,
        "Too many requests; current limit of IP(127.0.0.1) is 2400 requests per minute."
        " Please use the websocket for live updates to avoid polling the API.",
    ),
    Trouble.BANNED: (
        418,
        -1003,
        "Way too many requests; IP(127.0.0.1) banned until {until_ms}."
        " Please use the websocket for live updates to avoid bans.",
    ),
    Trouble.RESTRICTED: (
        451,
        0,
        "Service unavailable from a restricted location according to 'b. Eligibility' in"
        " https://www.binance.com/en/terms.",
    ),
    Trouble.INTERNAL: (
        500,
        -1001,
        "Internal error; unable to process your request. Please try again.",
    ),
    Trouble.UNKNOWN_RESULT: (503, -1000, "An unknown error occurred while processing the request."),
    Trouble.OVERLOADED: (
        503,
        -1008,
        "Server is currently overloaded with other requests. Please try again in a few minutes.",
    ),
    Trouble.TIMEOUT: (
        408,
        -1007,
        "Timeout waiting for response from backend server. Send status unknown; execution status"
        " unknown.",
    ),
    Trouble.MAINTENANCE: (503, 1, "System is under maintenance."),
    Trouble.KEY_REVOKED: (401, -2015, "Invalid API-key, IP, or permissions for action."),
    Trouble.CLOCK_REFUSED: (
        400,
        -1021,
        "Timestamp for this request is outside of the recvWindow.",
    ),
    Trouble.NO_SUCH_ORDER: (400, -2013, "Order does not exist."),
}
_TELL_WHEN = (Trouble.RATE_LIMIT, Trouble.BANNED)


def troubled(trouble: Trouble, *, until_ms: int, now_ms: int) -> Answer:
    """The answer for a trouble; a limit and a ban say for how many seconds they last."""
    if trouble in _PAGES:
        status, reason = _PAGES[trouble]
        page = {"Content-Type": "text/html"}
        return Answer(raw=_GATEWAY.format(reason=reason), status=status, headers=page)
    status, code, words = _WORDS[trouble]
    body = {"code": code, "msg": words.format(until_ms=until_ms)}
    seconds = -(-max(until_ms - now_ms, 0) // 1000)
    headers = {"Retry-After": str(seconds)} if trouble in _TELL_WHEN else {}
    return Answer(body=body, status=status, headers=headers)
