"""The audit log over HTTP and on the command line, and `cts token` beside it."""

import json
from collections.abc import Iterator

import pytest
from moto import mock_aws
from tests.api_world import ApiWorld, api_world
from tests.dynamo import create_tables, point_tables_at
from typer.testing import CliRunner, Result

from adapters.audit_chain import read_head
from adapters.audited import audit_row, note
from adapters.tables import AuditRow, TokenRow
from adapters.tokens import token_hash
from local.cli import app

AUDIT = "/api/audit"
ON_AWS = ("--aws", "--stack", "cts-test")


@pytest.fixture(scope="module")
def world() -> Iterator[ApiWorld]:
    """One API for all: each test has connections of its own."""
    with mock_aws():
        point_tables_at(None)
        create_tables()
        with api_world() as made:
            yield made


@pytest.fixture
def broken(world: ApiWorld) -> Iterator[str]:
    """A connection of whose log the first line was changed; it is mended afterwards."""
    connection_id = world.created()
    row = next(iter(AuditRow.query(connection_id)))
    row.update([AuditRow.actor.set("nobody")])
    yield connection_id
    row.refresh()
    row.update([AuditRow.actor.set(world_operator(world))])


def world_operator(world: ApiWorld) -> str:
    return str(world.get("/api/auth/me").body["name"])


def test_the_log_is_told_page_by_page_newest_first(world: ApiWorld) -> None:
    for number in range(5):
        note(audit_row("paged", "test", by="me", now_ms=number + 1, details={"number": number}))

    told, cursor = [], ""
    while True:
        path = f"{AUDIT}?subject=paged&limit=2" + (f"&cursor={cursor}" if cursor else "")
        page = world.get(path, token="admin").body
        told += [line["details"]["number"] for line in page["data"]]
        cursor = (page["cursor"] or "").replace("#", "%23")
        if not cursor:
            break

    assert told == [4, 3, 2, 1, 0]


def test_the_latest_lines_of_all_subjects_are_told_together(world: ApiWorld) -> None:
    one, other = world.created(), world.created()

    lines = world.get(f"{AUDIT}?limit=500", token="admin").body["data"]

    assert {one, other} <= {line["subject"] for line in lines}
    assert all(len(line["hash"]) == 64 for line in lines)


@pytest.mark.parametrize(
    "query", ["cursor=0000000000001%23x", "subject=a&cursor=nonsense", "limit=0", "limit=501"]
)
def test_a_question_that_is_none_is_refused(world: ApiWorld, query: str) -> None:
    assert world.get(f"{AUDIT}?{query}", token="admin").status == 400


def test_every_chain_of_a_life_holds(world: ApiWorld) -> None:
    connection_id = world.running()

    told = world.get(f"{AUDIT}/verify", token="admin").body

    chains = {chain["subject"]: chain for chain in told["chains"]}
    assert (told["holds"], told["faults"]) == (True, [])
    assert chains[connection_id]["rows"] == chains[connection_id]["head_seq"] >= 3


def test_a_changed_line_is_found_over_http(world: ApiWorld, broken: str) -> None:
    told = world.get(f"{AUDIT}/verify?subject={broken}", token="admin").body

    assert told["holds"] is False
    assert [(one["subject"], one["seq"]) for one in told["faults"]] == [(broken, 1)]


def test_a_log_that_is_gone_as_a_whole_is_found_by_its_connection(world: ApiWorld) -> None:
    connection_id = world.created()
    head, rows = read_head(connection_id), list(AuditRow.query(connection_id))
    head.delete()
    for row in rows:
        row.delete()

    told = world.get(f"{AUDIT}/verify", token="admin").body
    head.save()
    for row in rows:
        row.save()

    assert [one["problem"] for one in told["faults"]] == ["there is no line of it"]


def test_a_subject_that_is_not_there_cannot_be_verified(world: ApiWorld) -> None:
    assert world.get(f"{AUDIT}/verify?subject=c-none", token="admin").status == 404


def cts(*words: str) -> Result:
    return CliRunner().invoke(app, [*words, *ON_AWS])


def test_the_command_says_that_every_chain_holds(world: ApiWorld) -> None:
    world.created()

    done = cts("audit", "verify")

    assert (done.exit_code, done.output.split(":")[0]) == (0, "every chain holds")


def test_the_command_ends_with_1_and_names_the_line_that_was_changed(
    world: ApiWorld, broken: str
) -> None:
    done = cts("audit", "verify")
    told = json.loads(cts("audit", "verify", "--json", "--subject", broken).output)

    assert done.exit_code == 1
    assert f"{broken} " in done.output and "the row was changed" in done.output
    assert told["holds"] is False


def test_a_token_of_the_command_line_opens_the_api_until_it_is_revoked(world: ApiWorld) -> None:
    connection_id = world.created()
    made = json.loads(
        cts(
            "token", "create", "Bob", "--role", "operator", "--connection", connection_id, "--json"
        ).output
    )

    assert world.get("/api/auth/me", token=made["token"]).body["connections"] == [connection_id]
    assert TokenRow.get(token_hash(made["token"])).role == "operator"
    listed = cts("token", "list").output
    assert f"{made['record']['id']}  Bob  operator  {connection_id}" in listed
    assert made["token"] not in listed
    assert cts("token", "revoke", made["record"]["id"]).exit_code == 0
    assert world.get("/api/auth/me", token=made["token"]).status == 401


def test_a_token_is_printed_alone_for_a_script(world: ApiWorld) -> None:
    done = cts("token", "create", "Eve")

    assert done.output.startswith("cts_") and done.output.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("Bob", "--role", "king"), "role must be one of viewer, operator, admin, was 'king'"),
        (("Bob", "--days", "0"), "days must be 1 to 3650, was 0"),
        (("", "--role", "viewer"), "name must have 1 to 60 characters, had 0"),
        (("Bob", "--role", "admin", "--connection", "c-1"), "an admin's token reaches everything"),
        (("Bob", "--connection", "c-none"), "there is no connection 'c-none'"),
    ],
)
def test_a_token_that_cannot_be_is_refused_with_the_range(
    world: ApiWorld, words: tuple[str, ...], said: str
) -> None:
    done = cts("token", "create", *words)

    assert (done.exit_code, said in done.output) == (1, True)


def test_without_a_twin_the_commands_say_what_to_do(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CTS_HOME", str(tmp_path))

    done = CliRunner().invoke(app, ["audit", "verify"])

    assert (done.exit_code, "cts up" in done.output) == (1, True)
