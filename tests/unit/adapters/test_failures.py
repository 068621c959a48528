"""What an error of ccxt means: surely not carried out, refused, or unclear."""

import pytest

from adapters.access import Access, Network
from adapters.ccxt_loader import load_errors
from adapters.failures import ClockSkewError, VenueUnclearError, redact, translate
from adapters.venues.binance_words import ERRORS
from adapters.venues.okx_words import ERRORS as OKX
from engine.errors import CredentialsError, CtsError, VenueBusyError, VenueRefusedError
from engine.events import Unclear


def translated(kind: str, text: str) -> CtsError:
    return translate(getattr(load_errors(), kind)(text), ERRORS)


@pytest.mark.parametrize(
    ("kind", "text", "wanted"),
    [
        ("InsufficientFunds", '{"code":-2019,"msg":"Margin is insufficient."}', VenueRefusedError),
        ("InvalidOrder", '{"code":-2022,"msg":"ReduceOnly Order is rejected."}', VenueRefusedError),
        ("BadRequest", '{"code":-1104,"msg":"Not all sent parameters."}', VenueRefusedError),
        ("ExchangeError", '{"code":-9999,"msg":"new code"}', VenueRefusedError),
        ("ArgumentsRequired", "binance requires a symbol", VenueRefusedError),
        ("AuthenticationError", '{"code":-2015,"msg":"Invalid API-key"}', CredentialsError),
        ("AuthenticationError", 'binance requires "apiKey" credential', CredentialsError),
        ("DDoSProtection", "binance 429 Too Many Requests", VenueBusyError),
        ("RateLimitExceeded", '{"code":-1015,"msg":"Too many new orders"}', VenueBusyError),
        ("OperationFailed", '{"code":-1008,"msg":"Server overloaded"}', VenueBusyError),
        ("InvalidNonce", '{"code":-1021,"msg":"ahead"}', ClockSkewError),
        ("RequestTimeout", "binance POST https://x", VenueUnclearError),
        ("RequestTimeout", '{"code":-1007,"msg":"Timeout"}', VenueUnclearError),
        ("ExchangeNotAvailable", "binance 502 Bad Gateway <html>", VenueUnclearError),
        ("OperationFailed", '{"code":-1000,"msg":"unknown"}', VenueUnclearError),
        ("BadResponse", '{"code":-1006,"msg":"unexpected"}', VenueUnclearError),
        ("NullResponse", "empty", VenueUnclearError),
        ("ExchangeError", "binance POST https://x", VenueUnclearError),  # a cut answer
    ],
)
def test_each_error_is_one_of_refused_not_carried_out_or_unclear(
    kind: str, text: str, wanted: type[CtsError]
) -> None:
    assert type(translated(kind, text)) is wanted


def test_a_refusal_carries_the_code_and_the_venues_words() -> None:
    error = translated("InsufficientFunds", 'x {"code":-2019,"msg":"Margin is insufficient."}')

    assert isinstance(error, VenueRefusedError)
    assert error.code == "-2019"
    assert str(error) == "-2019 Margin is insufficient."


def test_a_ban_tells_until_when() -> None:
    text = '{"code":-1003,"msg":"Way too many requests; IP banned until 1700000060000."}'
    error = translated("DDoSProtection", text)

    assert isinstance(error, VenueBusyError)
    assert error.until_ms == 1_700_000_060_000


@pytest.mark.parametrize(
    ("kind", "text", "why"),
    [
        ("RequestTimeout", "timed out", Unclear.TIMEOUT),
        ("ExchangeNotAvailable", "connection reset", Unclear.CONNECTION),
        ("OperationFailed", '{"code":-1000,"msg":"unknown"}', Unclear.VENUE),
    ],
)
def test_an_unclear_answer_says_why(kind: str, text: str, why: Unclear) -> None:
    error = translated(kind, text)

    assert isinstance(error, VenueUnclearError)
    assert error.why is why


def test_signatures_never_reach_an_error_text() -> None:
    text = "GET https://fapi.binance.com/fapi/v1/order?symbol=X&signature=abcdef failed"

    assert "signature" not in redact(text)
    assert "signature" not in str(translated("RequestTimeout", text))


def test_words_with_quotes_in_them_are_told_whole() -> None:
    text = r'{"code":"50105","msg":"Request header \"OK-ACCESS-PASSPHRASE\" incorrect."}'
    error = translate(load_errors().AuthenticationError(text), OKX)

    assert str(error) == r"50105 Request header \"OK-ACCESS-PASSPHRASE\" incorrect."


def test_what_a_venue_repeats_of_a_key_is_hidden_before_it_is_cut_short() -> None:
    access = Access(
        venue="okx",
        network=Network.TESTNET,
        api_key="key-7741",
        api_secret="secret-7742",
        api_passphrase="phrase-7743",
    )
    text = "x" * 290 + "phrase-7743 key-7741 secret-7742"  # the cut is in the first of them

    error = translate(load_errors().ExchangeError(text), ERRORS, hide=access.hide)

    assert str(error) == "x" * 290 + "*** *** **"
