"""What an answer's status, headers and words demand."""

import pytest

from adapters.limit_answers import OrderLimit, demanded, is_restricted, orders_wait_ms, used_weight

NOW_MS = 1_700_000_000_000
COUNTRY_BLOCK = (
    "<HTML><H1>403 ERROR</H1>The Amazon CloudFront distribution is configured to block access from"
    " your country.</HTML>"
)


@pytest.mark.parametrize(
    ("status", "headers", "body", "wait_ms"),
    [
        (429, {"retry-after": "7"}, "", 7_000),
        (429, {}, "", 60_000),
        (418, {"retry-after": "120"}, "", 120_000),
        (418, {}, f"Way too many requests; IP banned until {NOW_MS + 300_000}.", 300_000),
        (418, {"retry-after": "400"}, f"IP banned until {NOW_MS + 300_000}.", 400_000),
        (403, {}, "<html>403 Forbidden</html>", 60_000),
        (403, {"retry-after": "600"}, "", 600_000),
    ],
)
def test_a_venue_that_has_enough_is_left_alone_until_it_says(
    status: int, headers: dict[str, str], body: str, wait_ms: int
) -> None:
    demand = demanded(status, headers, body, now_ms=NOW_MS)

    assert demand is not None
    assert demand.until_ms == NOW_MS + wait_ms
    assert not demand.is_restriction


@pytest.mark.parametrize(
    ("code", "reset", "wait_ms"),
    [(10006, "700", 700), (10018, "3000", 3_000), (10006, "", 1_000), (10018, "9999999", 600_000)],
)
def test_bybits_counters_are_waited_for_by_its_own_clock(
    code: int, reset: str, wait_ms: int
) -> None:
    its_ms = NOW_MS + 5_000_000  # its clock may stand off from ours
    body = f'{{"retCode": {code}, "retMsg": "Too many visits!", "result": {{}}, "time": {its_ms}}}'
    header = {"x-bapi-limit-reset-timestamp": str(its_ms + int(reset))} if reset else {}

    demand = demanded(200, header, body, now_ms=NOW_MS)

    assert demand is not None
    assert demand.until_ms == NOW_MS + wait_ms


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, ""),
        (200, '{"retCode":110007,"retMsg":"ab not enough","time":1700000000000}'),
        (400, '{"code":-2019,"msg":"Margin is insufficient."}'),
        (403, '{"code":"50111","msg":"Invalid OK-ACCESS-KEY"}'),
        (502, "<html>Bad Gateway</html>"),
        (503, '{"code":-1008,"msg":"overloaded"}'),
    ],
)
def test_other_answers_demand_no_silence(status: int, body: str) -> None:
    assert demanded(status, {}, body, now_ms=NOW_MS) is None


def test_a_firewall_that_is_met_again_is_left_alone_for_longer_up_to_ten_minutes() -> None:
    demands = [demanded(403, {}, "", now_ms=NOW_MS, repeated=number) for number in range(6)]
    waits = [demand.until_ms - NOW_MS for demand in demands if demand]

    assert waits == [60_000, 120_000, 240_000, 480_000, 600_000, 600_000]


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (451, ""),
        (451, '{"code":0,"msg":"Service unavailable from a restricted location"}'),
        (403, COUNTRY_BLOCK),
    ],
)
def test_a_place_the_venue_does_not_serve_is_no_ban(status: int, body: str) -> None:
    demand = demanded(status, {}, body, now_ms=NOW_MS)

    assert demand is not None
    assert demand.is_restriction
    assert "<" not in demand.reason


def test_a_reason_to_restrict_counts_only_with_the_status_of_one() -> None:
    assert not is_restricted(200, COUNTRY_BLOCK)


def test_the_weight_is_read_where_the_venue_tells_it() -> None:
    assert used_weight({"x-mbx-used-weight-1m": "60"}, "X-MBX-USED-WEIGHT-1M") == 60
    assert used_weight({}, "X-MBX-USED-WEIGHT-1M") is None
    assert used_weight({"": "60"}, "") is None


def test_orders_wait_for_the_next_interval_once_the_venue_counts_them_full() -> None:
    limits = {"X-Orders-10S": OrderLimit(interval_ms=10_000, most=300)}
    now_ms = NOW_MS + 4_000

    assert orders_wait_ms({"x-orders-10s": "299"}, limits, now_ms) == 0
    assert orders_wait_ms({"x-orders-10s": "300"}, limits, now_ms) == NOW_MS + 10_000
