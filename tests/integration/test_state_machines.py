"""Every state of every ASL file is walked on MiniStack, with Lambdas of a few lines."""

import itertools
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.ministack import MiniStack, a_ministack, asl

pytestmark = pytest.mark.ministack
LOOPS = ("trade_loop", "position_loop")
_names = (f"t{n}" for n in itertools.count())


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MiniStack]:
    with a_ministack(tmp_path_factory.mktemp("aws")) as running:
        yield running


@pytest.fixture
def name() -> str:
    return next(_names)


@pytest.fixture
def leases(aws: MiniStack, name: str) -> str:
    table = f"{name}-leases"
    aws.client("dynamodb").create_table(
        TableName=table,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "lease_key", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "lease_key", "KeyType": "HASH"}],
    )
    return table


def put_lease(aws: MiniStack, table: str, loop: str, *, owner: str, token: int, ends: int) -> None:
    key = f"c1#{loop.removesuffix('_loop')}"
    aws.client("dynamodb").put_item(
        TableName=table,
        Item={
            "lease_key": {"S": key},
            "owner": {"S": owner},
            "fencing_token": {"N": str(token)},
            "expires_at_ms": {"N": str(ends)},
        },
    )


def lease(aws: MiniStack, table: str, loop: str) -> dict[str, Any]:
    key = {"lease_key": {"S": f"c1#{loop.removesuffix('_loop')}"}}
    found: dict[str, Any] = aws.client("dynamodb").get_item(
        TableName=table, Key=key, ConsistentRead=True
    )["Item"]
    return found


def a_loop(
    aws: MiniStack,
    name: str,
    leases: str,
    loop: str,
    burst: str,
    changed: dict[str, Any] | None = None,
) -> str:
    """The loop's machine with a burst of this body; `changed` states stand in for waits."""
    definition = asl(loop)
    definition["States"] |= changed or {}
    tick = aws.function(f"{name}-tick", burst)
    return aws.machine(name, definition, kind="EXPRESS", LeasesTable=leases, TickFunction=tick)


BURSTS = 'return {"outcome": "stopped", "token": event["token"] + 1}'


def an_input(token: int = -1) -> dict[str, Any]:
    return {"connection_id": "c1", "token": token, "reason": "test"}


@pytest.mark.parametrize("loop", LOOPS)
def test_a_free_lease_is_taken_and_the_burst_gets_its_token(
    aws: MiniStack, name: str, leases: str, loop: str
) -> None:
    before_ms = time.time_ns() // 1_000_000
    burst = 'import json\nreturn {"outcome": "idle:" + json.dumps(event), "token": 7}'
    machine = a_loop(aws, name, leases, loop, burst)

    ended = aws.run(machine, an_input())

    assert ended["entered"] == ["Begin", "Acquire", "Burst", "Outcome", "Ended"]
    asked = json.loads(ended["output"]["end"].removeprefix("idle:"))
    assert asked["connection_id"] == "c1"
    assert asked["token"] == 1
    assert before_ms - 1000 <= asked["execution_started_ms"] <= before_ms + 10_000
    row = lease(aws, leases, loop)
    assert row["owner"]["S"] == asked["execution_id"]
    assert 14_000 <= int(row["expires_at_ms"]["N"]) - before_ms <= 30_000


@pytest.mark.parametrize("loop", LOOPS)
def test_a_lease_that_somebody_holds_ends_the_execution_quietly(
    aws: MiniStack, name: str, leases: str, loop: str
) -> None:
    put_lease(aws, leases, loop, owner="somebody", token=4, ends=9_999_999_999_999)
    machine = a_loop(aws, name, leases, loop, BURSTS)

    ended = aws.run(machine, an_input())

    assert ended["status"] == "SUCCEEDED"
    assert ended["output"] == {"end": "lost"}
    assert ended["entered"] == ["Begin", "Acquire", "ReadBack", "IsMine", "Lost"]
    assert lease(aws, leases, loop)["fencing_token"]["N"] == "4"


@pytest.mark.parametrize("loop", LOOPS)
def test_a_lease_that_ran_out_is_taken_over(
    aws: MiniStack, name: str, leases: str, loop: str
) -> None:
    put_lease(aws, leases, loop, owner="dead", token=4, ends=1)
    machine = a_loop(aws, name, leases, loop, BURSTS)

    ended = aws.run(machine, an_input())

    assert ended["output"] == {"end": "stopped"}
    assert lease(aws, leases, loop)["fencing_token"]["N"] == "5"


@pytest.mark.parametrize("loop", LOOPS)
def test_the_token_given_by_a_hand_over_takes_a_lease_that_still_runs(
    aws: MiniStack, name: str, leases: str, loop: str
) -> None:
    put_lease(aws, leases, loop, owner="before", token=4, ends=9_999_999_999_999)
    machine = a_loop(aws, name, leases, loop, BURSTS)

    ended = aws.run(machine, an_input(token=4))

    assert ended["output"] == {"end": "stopped"}
    assert lease(aws, leases, loop)["fencing_token"]["N"] == "5"


@pytest.mark.parametrize("loop", LOOPS)
def test_a_refused_write_that_was_our_own_goes_on_with_the_stored_token(
    aws: MiniStack, name: str, leases: str, loop: str
) -> None:
    # The row is read back as if the first copy of the write had been ours.
    ours: dict[str, Any] = asl(loop)["States"]["ReadBack"]
    ours["Output"] = {"mine": "{% $states.result.Item.owner.S = 'somebody' %}"}
    put_lease(aws, leases, loop, owner="somebody", token=4, ends=9_999_999_999_999)
    burst = 'return {"outcome": f"token {event[\'token\']}", "token": 5}'
    machine = a_loop(aws, name, leases, loop, burst, {"ReadBack": ours})

    ended = aws.run(machine, an_input())

    assert ended["output"] == {"end": "token 4"}


@pytest.mark.parametrize("loop", LOOPS)
def test_bursts_go_on_with_the_token_of_the_burst_before(
    aws: MiniStack, name: str, leases: str, loop: str
) -> None:
    burst = (
        'token = event["token"]\n'
        'return {"outcome": "again" if token < 30 else "lost", "token": token + 10}'
    )
    machine = a_loop(aws, name, leases, loop, burst)

    ended = aws.run(machine, an_input())

    assert ended["entered"].count("Burst") == 4
    assert ended["entered"][-1] == "Lost"
    assert ended["output"] == {"end": "lost"}


@pytest.mark.parametrize("loop", LOOPS)
def test_a_loop_whose_time_is_up_hands_over_to_a_new_execution_with_its_token(
    aws: MiniStack, name: str, leases: str, loop: str
) -> None:
    # The first execution believes it began an hour ago; its successor has the whole time.
    begin: dict[str, Any] = asl(loop)["States"]["Begin"]
    began = begin["Assign"]["startedMs"].removeprefix("{% ").removesuffix(" %}")
    begin["Assign"]["startedMs"] = f"{{% {began} - ($states.input.token = -1 ? 3600000 : 0) %}}"
    burst = (
        'return {"outcome": "again" if event["token"] < 3 else "stopped", "token": event["token"]}'
    )
    machine = a_loop(aws, name, leases, loop, burst, {"Begin": begin})

    ended = aws.run(machine, an_input())

    assert ended["entered"][-3:] == ["Outcome", "HandOver", "HandedOver"]
    # 1 was acquired and handed over; the successor, which began at 1, acquires 2 and goes on
    # from there, until the test stops it through the lease's token.
    executions = aws.states().list_executions(stateMachineArn=machine)["executions"]
    assert len(executions) == 2
    put_lease(aws, leases, loop, owner="test", token=9, ends=9_999_999_999_999)
    for execution in executions:
        if execution["status"] == "RUNNING":
            aws.states().stop_execution(executionArn=execution["executionArn"])


@pytest.mark.parametrize("loop", LOOPS)
def test_a_burst_that_dies_is_tried_again_once_its_lease_ran_out(
    aws: MiniStack, name: str, leases: str, loop: str
) -> None:
    put_lease(aws, leases, loop, owner="x", token=1, ends=1)
    burst = (
        "import os\n"
        "if event['token'] == 2: os._exit(9)\n"
        "return {'outcome': 'stopped', 'token': event['token'] + 1}"
    )
    # A shorter lease, and a wait in the same proportion to it.
    states = asl(loop)["States"]
    assert states["WaitOutTheLease"] == {"Type": "Wait", "Seconds": 17, "Next": "Acquire"}
    values = states["Acquire"]["Arguments"]["ExpressionAttributeValues"]
    values[":until"]["N"] = values[":until"]["N"].replace("15000", "500")
    short: dict[str, Any] = {
        "Acquire": states["Acquire"],
        "WaitOutTheLease": {"Type": "Wait", "Seconds": 2, "Next": "Acquire"},
    }
    machine = a_loop(aws, name, leases, loop, burst, short)

    ended = aws.run(machine, an_input())

    assert ended["output"] == {"end": "stopped"}
    assert ended["entered"].count("Acquire") == 2
    assert lease(aws, leases, loop)["fencing_token"]["N"] == "3"


@pytest.mark.parametrize("loop", LOOPS)
def test_a_burst_that_keeps_dying_fails_the_execution_with_the_error_of_its_own(
    aws: MiniStack, name: str, leases: str, loop: str
) -> None:
    burst = "class CorruptStateError(Exception): pass\nraise CorruptStateError('broken')"
    wait = {"Type": "Pass", "Next": "Burst"}
    machine = a_loop(aws, name, leases, loop, burst, {"WaitOutTheLease": wait})

    ended = aws.run(machine, an_input())

    assert ended["status"] == "FAILED"
    assert ended["error"] == "CorruptStateError"
    assert "broken" in ended["cause"]
    assert ended["entered"].count("Burst") == 3
    assert ended["entered"][-1] == "BurstFailed"


@pytest.mark.parametrize("loop", LOOPS)
def test_of_sixteen_executions_started_together_one_runs_and_the_others_end_quietly(
    aws: MiniStack, name: str, leases: str, loop: str
) -> None:
    burst = "import time\ntime.sleep(4)\nreturn {'outcome': 'stopped', 'token': event['token']}"
    machine = a_loop(aws, name, leases, loop, burst)

    executions = [aws.start(machine, an_input()) for _ in range(16)]
    ended = [aws.ended(execution) for execution in executions]

    assert [e["status"] for e in ended] == ["SUCCEEDED"] * 16
    assert sorted(e["output"]["end"] for e in ended) == ["lost"] * 15 + ["stopped"]
    assert sum("Burst" in e["entered"] for e in ended) == 1
    assert lease(aws, leases, loop)["fencing_token"]["N"] == "1"


CONTROL = """
if event["action"] == "prepare":
    if event["connection_id"] == "broken":
        raise KeyError("no such connection")
    return {"symbols": %(symbols)s, "groups": %(groups)s}
if event["action"] == "finish":
    return {"loaded": True}
if event["action"] == "fail":
    print(event["error"], event["cause"])
return {"told": event}
"""
PREHISTORY = """
if event["action"] == "load":
    return {"symbol": event["symbol"]}
if event["connection_id"] == "busy" and event["cursor"] == 2:
    raise ValueError("the fold broke")
return {"cursor": event["cursor"] + 1, "done": event["cursor"] + 1 == len(event["symbols"]) + 1}
"""


def an_engine_start(aws: MiniStack, name: str, symbols: list[str], groups: list[list[str]]) -> str:
    control = CONTROL % {"symbols": symbols, "groups": groups}
    loop = {
        "QueryLanguage": "JSONata",
        "StartAt": "P",
        "States": {"P": {"Type": "Pass", "End": True}},
    }
    return aws.machine(
        f"{name}-start",
        asl("engine_start"),
        kind="STANDARD",
        EngineControlFunction=aws.function(f"{name}-control", control),
        PrehistoryFunction=aws.function(f"{name}-prehistory", PREHISTORY),
        TradeLoop=aws.machine(f"{name}-trade", loop, kind="EXPRESS"),
        PositionLoop=aws.machine(f"{name}-position", loop, kind="EXPRESS"),
    )


@pytest.mark.parametrize(
    ("symbols", "groups"),
    [
        (["A"], [["A"]]),
        (["A", "B", "C"], [["A", "B"], ["C"]]),
        ([f"S{n}" for n in range(12)], [[f"S{n}" for n in range(12)]]),
    ],
)
def test_a_start_loads_each_symbol_folds_each_group_to_its_end_and_starts_both_loops(
    aws: MiniStack, name: str, symbols: list[str], groups: list[list[str]]
) -> None:
    machine = an_engine_start(aws, name, symbols, groups)

    ended = aws.run(machine, {"connection_id": "c1", "run_id": "r1"})

    assert ended["status"] == "SUCCEEDED", ended
    assert ended["entered"][-3:] == ["StartTradeLoop", "StartPositionLoop", "Started"]
    assert ended["entered"].count("LoadSymbol") in (0, len(symbols))
    for loop in ("trade", "position"):
        arn = machine.replace(f"{name}-start", f"{name}-{loop}")
        (started,) = aws.states().list_executions(stateMachineArn=arn)["executions"]
        asked = aws.states().describe_execution(executionArn=started["executionArn"])["input"]
        assert json.loads(asked) == {"connection_id": "c1", "token": -1, "reason": "start"}


@pytest.mark.parametrize(
    ("connection", "error"),
    [("broken", "KeyError"), ("busy", "ValueError")],
)
def test_a_start_that_fails_is_told_to_the_engine_with_its_cause(
    aws: MiniStack, name: str, connection: str, error: str
) -> None:
    machine = an_engine_start(aws, name, ["A", "B"], [["A", "B"]])

    ended = aws.run(machine, {"connection_id": connection, "run_id": "r1"})

    assert ended["status"] == "FAILED"
    assert ended["error"] == error
    assert ended["entered"][-2:] == ["TellFailure", "NotStarted"]
    log = (aws.places.logs / f"lambda-{name}-control.log").read_text()
    assert log.startswith(error)


STOPS = """
import os
if event["action"] == "stop":
    open(%(file)r, "w").close()
    return {}
with open(%(file)r, "a") as asked:
    asked.write("x")
return {"stopped": os.path.getsize(%(file)r) >= 3}
"""


def test_a_stop_asks_until_both_loops_have_ended(aws: MiniStack, name: str, tmp_path: Path) -> None:
    control = aws.function(f"{name}-control", STOPS % {"file": str(tmp_path / "asked")})
    machine = aws.machine(name, asl("engine_stop"), kind="STANDARD", EngineControlFunction=control)

    ended = aws.run(machine, {"connection_id": "c1", "close_positions": True})

    assert ended["output"] == {"end": "stopped"}
    assert ended["entered"].count("WaitASecond") == 2
    assert ended["entered"][-1] == "Stopped"


def test_a_stop_gives_up_after_its_time(aws: MiniStack, name: str) -> None:
    definition = asl("engine_stop")
    assign = definition["States"]["Stop"]["Assign"]
    assign["startedMs"] = assign["startedMs"].replace(" %}", " - 3600000 %}")
    control = aws.function(f"{name}-control", 'return {"stopped": False}')
    machine = aws.machine(name, definition, kind="STANDARD", EngineControlFunction=control)

    ended = aws.run(machine, {"connection_id": "c1", "close_positions": False})

    assert ended["error"] == "StopTimeoutError"


def test_every_state_of_every_file_is_named_in_a_walk_above() -> None:
    text = Path(__file__).read_text(encoding="utf-8")
    walked_through = {"Begin", "Prepare", "Load", "LoadSymbol", "Fold", "FoldChunk", "IsFolded",
                      "Folded", "Finish", "IsLoaded", "NotLoaded", "Stop", "Ask", "HaveStopped",
                      "NotStopped", "MayTryAgain"}  # fmt: skip
    files = (*LOOPS, "engine_start", "engine_stop")

    unknown = {
        f"{file}.{state}"
        for file in files
        for state in asl(file)["States"]
        if f'"{state}"' not in text and state not in walked_through
    }

    assert not unknown
