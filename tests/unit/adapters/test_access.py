"""The wall between paper, testnet and live."""

from pathlib import Path

import pytest

from adapters.access import Access, Network, PaperAddress, paper_address
from engine.errors import RefusedError

SOMEWHERE = PaperAddress(host="127.0.0.1", port=9443, ca_file=Path("ca.pem"))


def test_a_paper_connection_needs_the_paper_exchange() -> None:
    with pytest.raises(RefusedError, match="CTS_PAPER_ADDRESS"):
        Access(venue="binance", network=Network.PAPER)


@pytest.mark.parametrize("network", [Network.TESTNET, Network.LIVE])
def test_other_connections_must_not_be_sent_to_it(network: Network) -> None:
    with pytest.raises(RefusedError, match="must not be given"):
        Access(venue="binance", network=network, paper=SOMEWHERE)


def test_secrets_show_in_no_text() -> None:
    access = Access(venue="binance", network=Network.LIVE, api_key="kkk", api_secret="sss")

    assert "kkk" not in repr(access)
    assert "sss" not in repr(access)


def test_without_a_variable_there_is_no_paper_exchange() -> None:
    assert paper_address({}) is None


@pytest.mark.parametrize("address", ["localhost:9443", "10.0.0.1:9443", "127.0.0.1", "evil:1"])
def test_the_paper_exchange_lives_on_this_machine_only(address: str, tmp_path: Path) -> None:
    ca_file = tmp_path / "ca.pem"
    ca_file.write_text("")

    with pytest.raises(RefusedError, match="CTS_PAPER_ADDRESS"):
        paper_address({"CTS_PAPER_ADDRESS": address, "CTS_PAPER_CA": str(ca_file)})


def test_its_certificate_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match=r"ca\.pem"):
        paper_address({"CTS_PAPER_ADDRESS": "127.0.0.1:1", "CTS_PAPER_CA": str(tmp_path)})


def test_address_and_certificate_are_read_from_the_environment(tmp_path: Path) -> None:
    ca_file = tmp_path / "ca.pem"
    ca_file.write_text("")
    environ = {"CTS_PAPER_ADDRESS": "127.0.0.1:9443", "CTS_PAPER_CA": str(ca_file)}

    assert paper_address(environ) == PaperAddress(host="127.0.0.1", port=9443, ca_file=ca_file)
