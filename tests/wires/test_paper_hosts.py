"""One port, many venues: a host name picks the wire, and the certificate covers every name."""

import ssl
from pathlib import Path

from cryptography import x509
from tests.wires.scripted import a_stage

from local.paper.certificates import server_context
from local.paper.credentials import Credentials
from local.paper.hosts import Hosts
from local.paper.venues.binance.wire import BinanceWire
from local.paper.wire import VenueWire

NOW_S = 1_700_000_000


class _Spot(BinanceWire):
    name = "other"
    hosts: tuple[str, ...] = ("api.binance.com", ".stream.binance.com", "www.okx.com")


def some_hosts(directory: Path) -> tuple[Hosts, VenueWire, VenueWire]:
    exchange = a_stage(directory, 100).exchange
    credentials = Credentials(api_key="key", api_secret="secret")
    first, other = BinanceWire(exchange, credentials), _Spot(exchange, credentials)
    return Hosts([first, other]), first, other


def test_a_whole_name_beats_an_ending_and_the_longest_ending_beats_the_others(
    tmp_path: Path,
) -> None:
    hosts, first, other = some_hosts(tmp_path)

    assert hosts.wire("fapi.binance.com") is first
    assert hosts.wire("API.binance.com:443") is other
    assert hosts.wire("one.stream.binance.com") is other
    assert hosts.wire("www.okx.com:9443") is other


def test_a_name_no_venue_claims_is_answered_by_the_first(tmp_path: Path) -> None:
    hosts, first, _ = some_hosts(tmp_path)

    assert hosts.wire("localhost:9443") is first
    assert hosts.wire("127.0.0.1") is first


def names_in(certificate: Path) -> set[str]:
    leaf = x509.load_pem_x509_certificate(certificate.read_bytes())
    found = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    return set(found.value.get_values_for_type(x509.DNSName))


def test_the_certificate_covers_whole_names_and_endings_of_every_venue(tmp_path: Path) -> None:
    hosts, *_ = some_hosts(tmp_path)

    context = server_context(tmp_path, hosts.certified(), NOW_S)

    assert isinstance(context, ssl.SSLContext)
    wanted = {"www.okx.com", "api.binance.com", "*.binance.com", "*.stream.binance.com"}
    assert wanted | {"localhost"} <= names_in(tmp_path / "server.pem")


def test_a_certificate_is_kept_until_a_name_is_missing(tmp_path: Path) -> None:
    server_context(tmp_path, ["www.okx.com", "localhost"], NOW_S)
    before = (tmp_path / "server.pem").read_bytes()

    server_context(tmp_path, ["localhost"], NOW_S)
    assert (tmp_path / "server.pem").read_bytes() == before

    server_context(tmp_path, ["localhost", "*.bybit.com"], NOW_S)
    assert names_in(tmp_path / "server.pem") == {"localhost", "*.bybit.com"}
