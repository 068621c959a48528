"""Ten thousand bad requests: each is refused in the envelope, and nothing changes."""

import hashlib
import json
import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

import pytest
from tests.api_world import PLENTY, ApiWorld, api_world
from tests.bad_requests import bad_requests
from tests.dynamo import tables_of_moto
from tests.gateway import Gateway

from adapters.aws import client
from adapters.tables import ALL
from adapters.usage import Usage
from services import services, using

REQUESTS = 10_000
SEED = 20_260_101
# What the API notes of the asking itself.
NOTES = {"api_usage", "site_logs"}


class Uncounted(Usage):
    """Takes changes without a write for each, which is what most of the time would go into."""

    def change(self, caller_id: str, *, at_most: int | None = None) -> None:
        """Allowed."""


@pytest.fixture(scope="module")
def lived_in() -> Iterator[ApiWorld]:
    """An API with two accounts, one of which trades."""
    with tables_of_moto(), api_world() as world:
        world.running()
        world.created(name="Other")
        with using(replace(services(), usage=Uncounted(world.clock, PLENTY))):
            yield world


def digest() -> str:
    """Of every row of every table but the notes."""
    found = hashlib.sha256()
    for model in ALL:
        name = model.Meta.table_name
        if name.rpartition("-")[2] in NOTES:
            continue
        rows = client("dynamodb").scan(TableName=name)["Items"]
        for row in sorted(json.dumps(row, sort_keys=True, default=repr) for row in rows):
            found.update(f"{name}|{row}\n".encode())
    return found.hexdigest()


@pytest.mark.timeout(300)
def test_ten_thousand_bad_requests_are_refused_and_change_nothing(
    lived_in: ApiWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.root.manager, "disable", logging.CRITICAL)  # ten thousand lines
    tokens = {"admin": lived_in.admin, "viewer": lived_in.viewer}
    gateways = {role: Gateway(token=token) for role, token in tokens.items()}
    nobody = Gateway()
    before = digest()
    seen: Counter[tuple[str, int]] = Counter()

    for bad in islice(bad_requests(SEED), REQUESTS):
        gateway = nobody if bad.role is None else gateways[bad.role]
        told = gateway.ask(bad.method, bad.path, bad.body, headers=bad.headers)
        seen[bad.kind, told.status] += 1
        assert 400 <= told.status < 500, (bad, told.text[:500])
        assert told.body["success"] is False, bad
        assert told.body["error"], bad

    assert sum(seen.values()) == REQUESTS
    assert {status for _, status in seen} >= {400, 401, 403, 404, 405, 413, 415, 431}
    assert digest() == before
    assert (lived_in.machines.stopped, lived_in.starter.started) == ([], [])
