"""Credentials are sealed for one connection, and shown by nobody."""

from collections.abc import Iterator

import boto3
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto import mock_aws

from adapters.aws import client
from adapters.vault import Credentials, KmsVault
from engine.errors import CredentialsError, RefusedError

SECRET = "s3cr3t-of-a-venue"
CREDENTIALS = {"api_key": "key-of-a-venue", "api_secret": SECRET}


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    client.cache_clear()
    with mock_aws():
        found = boto3.client("kms", region_name="us-east-1").create_key()
        key_id = found["KeyMetadata"]["KeyId"]
        monkeypatch.setenv("CTS_KMS_KEY_ID", key_id)
        yield key_id
    client.cache_clear()


@given(credentials=st.dictionaries(st.text(max_size=20), st.text(max_size=60), max_size=6))
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_was_sealed_opens_again(key: str, credentials: dict[str, str]) -> None:
    box = KmsVault()

    assert dict(box.open("c1", box.seal("c1", credentials))) == credentials


def test_a_sealed_box_shows_nothing(key: str) -> None:
    sealed = KmsVault().seal("c1", CREDENTIALS)

    assert SECRET.encode() not in sealed


def test_credentials_of_another_connection_do_not_open(key: str) -> None:
    sealed = KmsVault().seal("c1", CREDENTIALS)

    with pytest.raises(CredentialsError, match="c2"):
        KmsVault().open("c2", sealed)


@pytest.mark.parametrize("sealed", [b"not sealed by anybody", b""])
def test_damaged_credentials_do_not_open(key: str, sealed: bytes) -> None:
    with pytest.raises(CredentialsError):
        KmsVault().open("c1", sealed)


def test_credentials_too_long_for_the_key_are_refused_without_showing_them(key: str) -> None:
    with pytest.raises(RefusedError) as refused:
        KmsVault().seal("c1", {"api_secret": SECRET * 300})

    assert "4096" in str(refused.value)
    assert SECRET not in str(refused.value)


def test_a_failing_key_service_shows_no_secret(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CTS_KMS_KEY_ID", "no-such-key")

    with pytest.raises(CredentialsError) as failed:
        KmsVault().seal("c1", CREDENTIALS)

    assert SECRET not in repr(failed.value)
    assert failed.value.__cause__ is None


def test_opened_credentials_do_not_print_themselves() -> None:
    opened = Credentials(CREDENTIALS)

    assert opened["api_secret"] == SECRET
    assert str([opened]) == "[Credentials(api_key, api_secret)]"
