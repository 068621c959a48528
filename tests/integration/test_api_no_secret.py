"""Every route, asked with secrets wherever one can be put: none comes out anywhere."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from moto import mock_aws
from tests.api_world import SECRETS, ApiWorld, api_world
from tests.dynamo import create_tables, point_tables_at

from adapters.access import Access, Network
from adapters.tables import ALL, IdempotencyRow
from adapters.tokens import NewToken, Role
from adapters.vault import Credentials
from app import app

ROOT = Path(__file__).parents[2]
ROUTES = sorted((method, path) for path, methods in app.routes.items() for method in methods)
PLANTED = "planted-secret-of-the-test-5527"
BODIES: tuple[Any, ...] = (
    {"api_secret": PLANTED, "api_key": PLANTED, "api_passphrase": PLANTED},
    {"api_secret": {"nested": PLANTED}},
    {"colour": PLANTED, "connectionId": [PLANTED]},
    [PLANTED],
    f'{{"api_secret": "{PLANTED}"'.encode(),
    f'"{PLANTED}"'.encode(),
)


@pytest.fixture(scope="module")
def world() -> Iterator[ApiWorld]:
    with mock_aws():
        point_tables_at(None)
        create_tables()
        with api_world() as made:
            yield made


def stored() -> str:
    """Every row of every table, sealed credentials left out."""
    rows = [row.attribute_values for model in ALL for row in model.scan()]
    return str([{name: row[name] for name in row if name != "credentials"} for row in rows])


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_secret_put_anywhere_into_a_request_comes_out_nowhere(
    world: ApiWorld,
    method: str,
    path: str,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG")
    heard: list[str] = []
    for token in ("admin", PLANTED):
        for body in BODIES if method not in ("GET", "DELETE") else (None,):
            heard.append(_told(world, method, path, body, token))
    emitted = capfd.readouterr()

    told = "\n".join([*heard, emitted.out, emitted.err, caplog.text])
    secrets = [PLANTED, *SECRETS.values(), world.admin, world.operator, world.viewer]
    assert [one for one in secrets if one in told] == []


def _told(world: ApiWorld, method: str, path: str, body: Any, token: str) -> str:
    """Status, headers and text of one answer."""
    filled = path.replace("{connection_id}", "c-none").replace("{", "x-").replace("}", "")
    sent = {
        "authorization": f"Bearer {getattr(world, token, token)}",
        "content-type": "application/json",
        "idempotency-key": PLANTED,
        "x-api-key": PLANTED,
    }
    raw = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    asked = f"{filled}?apiSecret={quote(PLANTED)}"
    answer = world.client.http.request(method, asked, headers=sent, body=raw)
    return f"{answer.status_code} {dict(answer.headers)} {answer.body.decode()}"


def test_nothing_of_all_that_was_kept_in_any_table(world: ApiWorld) -> None:
    connection_id = world.created(api_secret=PLANTED, api_key=f"{PLANTED}-key")
    path = f"/api/settings/connections/{connection_id}"
    headers = {"Idempotency-Key": "k"}
    world.call("PATCH", path, {"api_secret": PLANTED, "api_key": PLANTED}, headers=headers)
    token, _ = world.tokens.create(NewToken(name="A", role=Role.ADMIN), by="test")

    told = stored()

    assert list(IdempotencyRow.scan()), "the change above was remembered"
    secrets = (PLANTED, token, world.admin, world.operator, world.viewer)
    assert [one for one in secrets if one in told] == []


def test_what_holds_credentials_prints_none() -> None:
    opened = Credentials({"api_secret": PLANTED})
    access = Access(
        venue="binance",
        network=Network.TESTNET,
        api_key=PLANTED,
        api_secret=PLANTED,
        api_passphrase=PLANTED,
    )

    told = f"{opened!r} {opened} {access!r} {access} {KeyError(opened)!r} {ValueError(access)!r}"

    assert PLANTED not in told


@pytest.mark.parametrize(
    "file",
    [*sorted((ROOT / "notebooks").rglob("*.ipynb")), ROOT / "infra/openapi.yaml"],
    ids=lambda file: file.name,
)
def test_no_notebook_and_no_description_holds_a_token(file: Path) -> None:
    text = file.read_text(encoding="utf-8")

    assert "Bearer cts_" not in text
    assert not [
        word
        for word in text.replace('"', " ").split()
        if word.startswith("cts_") and len(word) > 30
    ]
