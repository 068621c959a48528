"""OKX's words for what is wrong with OKX."""

from local.paper.wire import Answer, Trouble

_PAGE = "<html><head><title>{reason}</title></head><body><h1>{reason}</h1></body></html>"
_PAGES = {Trouble.FORBIDDEN: (403, "403 Forbidden"), Trouble.BAD_GATEWAY: (502, "502 Bad Gateway")}
_WORDS: dict[Trouble, tuple[int, str, str]] = {
    Trouble.RATE_LIMIT: (429, "50011", "Too Many Requests"),
    Trouble.BANNED: (429, "50011", "Too Many Requests"),
    Trouble.RESTRICTED: (
        451,
        "51155",
        "You can't trade this due to local compliance restrictions.",
    ),
    Trouble.INTERNAL: (500, "50026", "System error. Try again later"),
    Trouble.UNKNOWN_RESULT: (500, "50026", "System error. Try again later"),
    Trouble.OVERLOADED: (429, "50040", "Too frequent operations, please try again later"),
    Trouble.TIMEOUT: (
        400,
        "50004",
        "API endpoint request timeout (does not mean that the request was successful or failed,"
        " please check the request result).",
    ),
    Trouble.MAINTENANCE: (503, "50001", "Service temporarily unavailable. Try again later"),
    Trouble.KEY_REVOKED: (401, "50111", "Invalid OK-ACCESS-KEY"),
    Trouble.CLOCK_REFUSED: (401, "50102", "Timestamp request expired"),
    Trouble.NO_SUCH_ORDER: (200, "51603", "Order does not exist"),
}


def troubled(trouble: Trouble) -> Answer:
    """The answer for a trouble; OKX never says for how long."""
    if trouble in _PAGES:
        status, reason = _PAGES[trouble]
        page = {"Content-Type": "text/html"}
        return Answer(raw=_PAGE.format(reason=reason), status=status, headers=page)
    status, code, words = _WORDS[trouble]
    return Answer(body={"code": code, "data": [], "msg": words}, status=status)
