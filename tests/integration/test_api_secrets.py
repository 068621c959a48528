"""No secret leaves CTS: not in an answer, a log line, the audit log or a readable column."""

import json

import pytest
from tests.api_world import NEW, SECRETS, ApiWorld

from adapters.tables import CONNECTION_KIND, AuditRow, ConnectionRow, TokenRow
from engine.errors import CredentialsError

ALL = "/api/settings/connections"


def test_a_whole_life_of_a_connection_emits_no_secret(
    api: ApiWorld, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    replaced = {"api_key": "second-key-of-the-test", "api_secret": "second-secret-of-the-test"}
    secrets = [*SECRETS.values(), *replaced.values(), api.operator, api.viewer]

    connection_id = api.tested()
    api.call("PUT", f"{ALL}/{connection_id}", replaced)
    api.post(ALL, {**NEW, "volume_factor": "-1"})
    api.post(ALL, {**NEW, "colour": SECRETS["api_secret"]})
    api.post(ALL, {**NEW, "api_secret": {"nested": SECRETS["api_secret"]}})
    api.call("POST", ALL, json.dumps(NEW).encode()[:-1])
    api.post(ALL, {**NEW, "name": "x" * 70_000})
    api.venue_error = CredentialsError("-2014")
    api.post(f"{ALL}/{connection_id}/test")
    api.get(ALL)
    api.get(f"{ALL}/{connection_id}", token=SECRETS["api_key"])
    emitted = capfd.readouterr()
    audit = str([row.attribute_values for row in AuditRow.query(connection_id)])

    told = "\n".join([*api.heard, emitted.out, emitted.err, caplog.text, audit])
    assert len(api.heard) >= 10
    assert [secret for secret in secrets if secret in told] == []


def test_only_the_last_four_characters_of_a_key_are_readable_in_the_table(api: ApiWorld) -> None:
    connection_id = api.created()

    row = ConnectionRow.get(CONNECTION_KIND, connection_id)
    readable = {
        name: value for name, value in row.attribute_values.items() if name != "credentials"
    }

    assert not [one for one in SECRETS.values() if one in str(readable)]
    assert row.api_key_last4 == SECRETS["api_key"][-4:]


def test_tokens_are_stored_as_hashes_alone(api: ApiWorld) -> None:
    stored = str([row.attribute_values for row in TokenRow.scan()])

    assert api.operator not in stored
    assert api.viewer not in stored
