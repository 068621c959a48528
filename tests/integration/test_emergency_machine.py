"""Every state of the emergency stop's machine is walked on MiniStack, with tiny Lambdas."""

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.ministack import MiniStack, a_ministack, asl

pytestmark = pytest.mark.ministack
ASKED = {"connection_id": "c1", "emergency_id": "e1"}
_names = (f"e{n}" for n in itertools.count())

# A worker that is killed in its first burst, has no proof in its second, and has it in its third.
BURSTS = """
import os
if event["token"] == 8:
    os._exit(9)
proof = {"open_positions": 0} if event["token"] > 9 else None
return {"outcome": "again", "token": event["token"] + 1, "ticks": 3, "halt_proof": proof}
"""
# Judges as EngineControlFunction does, and keeps what it was asked.
JUDGE = """
import json
with open(%(file)r, "a") as asked:
    asked.write(json.dumps(event) + "\\n")
proof = (event["report"] or {}).get("halt_proof")
return {"end": "verified" if proof else %(end)r, "failures": event["failures"] + 1, "pause_s": 0}
"""

DIES_FIRST = """
import os
if not os.path.exists({file!r}):
    open({file!r}, "w").close()
    os._exit(9)
"""


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MiniStack]:
    with a_ministack(tmp_path_factory.mktemp("aws")) as running:
        yield running


@pytest.fixture
def name() -> str:
    return next(_names)


@pytest.fixture
def leases(aws: MiniStack, name: str) -> str:
    """A table in which a living worker holds the lease, and an emergency halted it."""
    table, db = f"{name}-leases", aws.client("dynamodb")
    db.create_table(
        TableName=table,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "lease_key", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "lease_key", "KeyType": "HASH"}],
    )
    put_lease(aws, table, halt=True)
    return table


def put_lease(aws: MiniStack, table: str, *, halt: bool) -> None:
    aws.client("dynamodb").put_item(
        TableName=table,
        Item={
            "lease_key": {"S": "c1#position"},
            "owner": {"S": "living"},
            "fencing_token": {"N": "7"},
            "expires_at_ms": {"N": "9999999999999"},
            "halt": {"BOOL": halt},
        },
    )


def lease(aws: MiniStack, table: str) -> dict[str, Any]:
    key = {"lease_key": {"S": "c1#position"}}
    found: dict[str, Any] = aws.client("dynamodb").get_item(TableName=table, Key=key)["Item"]
    return found


def a_machine(
    aws: MiniStack,
    name: str,
    leases: str,
    *,
    burst: str = BURSTS,
    judge: str,
    changed: dict[str, Any] | None = None,
) -> str:
    definition = asl("emergency_stop")
    definition["States"] |= changed or {}
    return aws.machine(
        name,
        definition,
        kind="STANDARD",
        LeasesTable=leases,
        TickFunction=aws.function(f"{name}-tick", burst),
        EngineControlFunction=aws.function(f"{name}-control", judge),
    )


def asked(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_it_takes_a_living_lease_outlives_a_killed_worker_and_ends_with_the_proof(
    aws: MiniStack, name: str, leases: str, tmp_path: Path
) -> None:
    file = tmp_path / "asked"
    judge = JUDGE % {"file": str(file), "end": ""}
    machine = a_machine(aws, name, leases, judge=judge)

    ended = aws.run(machine, ASKED)

    assert ended["output"] == {"end": "verified"}
    assert ended["entered"] == [
        "Begin",
        *["TakeOver", "Burst", "Judge", "IsOver", "Pause"] * 2,
        *["TakeOver", "Burst", "Judge", "IsOver", "Verified"],
    ]
    killed, unproven, proven = asked(file)
    assert killed["report"] is None
    assert killed["error"]
    assert (unproven["report"]["ticks"], unproven["error"]) == (3, "")
    assert proven["report"]["halt_proof"] == {"open_positions": 0}
    assert [one["failures"] for one in (killed, unproven, proven)] == [0, 1, 2]
    assert {(one["connection_id"], one["emergency_id"]) for one in asked(file)} == {("c1", "e1")}
    row = lease(aws, leases)
    assert (row["fencing_token"]["N"], row["phase"]["S"]) == ("10", "live")
    assert row["owner"]["S"].startswith("arn:aws:states:")


def test_once_the_halt_is_lifted_it_takes_nothing(
    aws: MiniStack, name: str, leases: str, tmp_path: Path
) -> None:
    put_lease(aws, leases, halt=False)
    judge = JUDGE % {"file": str(tmp_path / "asked"), "end": ""}
    machine = a_machine(aws, name, leases, judge=judge)

    ended = aws.run(machine, ASKED)

    assert ended["output"] == {"end": "lifted"}
    assert ended["entered"] == ["Begin", "TakeOver", "Lifted"]
    assert lease(aws, leases)["owner"]["S"] == "living"


def test_it_ends_where_another_emergency_stop_took_its_place(
    aws: MiniStack, name: str, leases: str, tmp_path: Path
) -> None:
    judge = JUDGE % {"file": str(tmp_path / "asked"), "end": "superseded"}
    burst = 'return {"outcome": "lost", "token": event["token"], "ticks": 0, "halt_proof": None}'
    machine = a_machine(aws, name, leases, burst=burst, judge=judge)

    ended = aws.run(machine, ASKED)

    assert ended["entered"][-2:] == ["IsOver", "Lifted"]


def test_trouble_of_the_table_or_the_judge_is_a_round_like_any_other(
    aws: MiniStack, name: str, leases: str, tmp_path: Path
) -> None:
    states = asl("emergency_stop")["States"]
    impatient = states["Judge"] | {"Retry": []}
    impatient["Catch"][0]["Output"]["pause_s"] = 0
    file = tmp_path / "asked"
    judge = DIES_FIRST.format(file=str(file)) + JUDGE % {"file": str(file), "end": "superseded"}
    machine = a_machine(aws, name, f"{leases}-none", judge=judge, changed={"Judge": impatient})

    ended = aws.run(machine, ASKED)

    assert ended["status"] == "SUCCEEDED"
    assert ended["entered"] == [
        "Begin",
        *["TakeOver", "Judge", "IsOver", "Pause"],
        *["TakeOver", "Judge", "IsOver", "Lifted"],
    ]
    (told,) = asked(file)
    assert "ResourceNotFoundException" in told["error"]


def test_the_bursts_are_given_what_those_of_the_loop_are() -> None:
    mine, loops = asl("emergency_stop")["States"], asl("position_loop")["States"]

    assert mine["Burst"]["Arguments"] == loops["Burst"]["Arguments"]
    assert mine["Burst"]["TimeoutSeconds"] == loops["Burst"]["TimeoutSeconds"]
    until = mine["TakeOver"]["Arguments"]["ExpressionAttributeValues"][":until"]
    assert until == loops["Acquire"]["Arguments"]["ExpressionAttributeValues"][":until"]
