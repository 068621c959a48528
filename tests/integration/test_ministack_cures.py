"""What we change in MiniStack, each seen from outside, and what of its own we rely on."""

import json
import os
import signal
import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from tests.ministack import MiniStack, a_ministack, free_port

pytestmark = pytest.mark.ministack
PID = "import os\nreturn os.getpid()"
SLOW = "import os, time\ntime.sleep(event)\nreturn os.getpid()"


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MiniStack]:
    with a_ministack(tmp_path_factory.mktemp("aws")) as running:
        yield running


def a_task(aws: MiniStack, name: str, function: str, retried: str | None = None) -> str:
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {"FunctionName": function, "Payload": "{% $states.input.payload %}"},
        "Catch": [{"ErrorEquals": ["LockLost"], "Next": "Caught"}],
        "End": True,
    }
    caught = {"Type": "Pass", "Output": "caught LockLost", "End": True}
    return aws.machine(
        name,
        {"QueryLanguage": "JSONata", "StartAt": "T", "States": {"T": task, "Caught": caught}},
        kind="EXPRESS",
    )


def test_a_silent_warm_invocation_does_not_wait_for_a_log_line(aws: MiniStack) -> None:
    aws.function("silent", "return 1")
    aws.invoke("silent", {})

    took = []
    for _ in range(20):
        begun = time.perf_counter()
        aws.invoke("silent", {})
        took.append(time.perf_counter() - begun)

    # Stock, none is under 50 ms; the client and its connection are made anew for each call.
    assert statistics.median(took) < 0.045


def test_catch_sees_the_class_of_an_exception(aws: MiniStack) -> None:
    function = aws.function("loses", "class LockLost(Exception): pass\nraise LockLost('gone')")

    ended = aws.run(a_task(aws, "loses", function), {"payload": 1})

    assert ended["output"] == "caught LockLost"


def test_a_worker_that_is_killed_shows_as_an_exited_runtime_and_the_next_call_gets_a_new_one(
    aws: MiniStack,
) -> None:
    function = aws.function("killed", SLOW)
    first, _ = aws.invoke("killed", 0)  # type: ignore[arg-type]
    execution = aws.start(a_task(aws, "killed", function), {"payload": 20})
    time.sleep(1)

    os.kill(first, signal.SIGKILL)
    ended = aws.ended(execution, within_s=10)
    second, error = aws.invoke("killed", 0)  # type: ignore[arg-type]

    assert ended["error"] == "Runtime.ExitError"
    assert error is None
    assert second != first


def test_a_worker_that_dies_while_it_starts_shows_as_an_exited_runtime_too(aws: MiniStack) -> None:
    function = aws.function("stillborn", "return 1", first="import os\nos._exit(1)")

    ended = aws.run(a_task(aws, "stillborn", function), {"payload": 1})

    assert ended["error"] == "Runtime.ExitError"


def test_an_idle_worker_is_used_again_and_only_concurrent_calls_get_more(aws: MiniStack) -> None:
    aws.function("pool", SLOW)
    one_by_one = {aws.invoke("pool", 0)[0] for _ in range(8)}  # type: ignore[arg-type]

    with ThreadPoolExecutor(3) as threads:
        at_once = set(threads.map(lambda _: aws.invoke("pool", 1)[0], range(3)))  # type: ignore[arg-type]
    after = {aws.invoke("pool", 0)[0] for _ in range(8)}  # type: ignore[arg-type]

    assert len(one_by_one) == 1
    assert len(at_once) == 3
    assert after == one_by_one


def test_what_a_worker_prints_is_in_its_log_while_it_still_runs(aws: MiniStack) -> None:
    body = "import time\nprint('ERROR here', flush=True)\ntime.sleep(event)"
    function = aws.function("prints", body)
    log = aws.places.logs / "lambda-prints.log"
    execution = aws.start(a_task(aws, "prints", function), {"payload": 4})

    deadline = time.monotonic() + 3
    while not (log.exists() and "ERROR here" in log.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.05)

    assert aws.states().describe_execution(executionArn=execution)["status"] == "RUNNING"
    aws.ended(execution)


def test_ended_express_executions_are_forgotten_after_a_minute_standard_ones_after_an_hour() -> (
    None
):
    # In a process of its own: importing MiniStack reads the environment of a server.
    script = """
import json
from ministack.services import stepfunctions as s
from local import cures
key = ("000000000000", "us-east-1")
for kind in ("EXPRESS", "STANDARD"):
    s._state_machines._data[(*key, kind)] = {"type": kind}
def put(name, kind, status, stopped):
    s._executions._data[(*key, name)] = {
        "stateMachineArn": kind, "status": status, "stopDate": stopped}
put("old", "EXPRESS", "SUCCEEDED", 1000.0)
put("young", "EXPRESS", "FAILED", 1950.0)
put("running", "EXPRESS", "RUNNING", None)
put("start", "STANDARD", "SUCCEEDED", 1000.0)
first = cures.prune_executions(now_s=2000.0)
left = sorted(k[2] for k in s._executions._data)
second = cures.prune_executions(now_s=9000.0)
print(json.dumps([first, left, second, sorted(k[2] for k in s._executions._data)]))
"""
    import subprocess
    import sys

    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )

    assert json.loads(ended.stdout.splitlines()[-1]) == [
        1,
        ["running", "start", "young"],
        2,
        ["running"],
    ]


def put_item(aws: MiniStack, value: str) -> None:
    tables = aws.client("dynamodb")
    if "kept" not in tables.list_tables()["TableNames"]:
        tables.create_table(
            TableName="kept",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
        )
    tables.put_item(TableName="kept", Item={"k": {"S": "one"}, "v": {"S": value}})


def item(aws: MiniStack) -> str:
    found = aws.client("dynamodb").get_item(TableName="kept", Key={"k": {"S": "one"}})
    return str(found["Item"]["v"]["S"])


def test_tables_are_saved_every_few_seconds_and_at_sigterm_everything_with_no_worker_left(
    tmp_path: Path,
) -> None:
    port = free_port()
    with a_ministack(tmp_path, port=port) as aws:
        put_item(aws, "before the kill")
        aws.function("stays", PID)
        saved = aws.places.aws_state / "dynamodb.json"
        deadline = time.monotonic() + 15
        while not (saved.exists() and "before the kill" in saved.read_text()):
            assert time.monotonic() < deadline, "the tables were not saved within 15 s"
            time.sleep(0.2)
        aws.process.kill()
        aws.process.wait()

    with a_ministack(tmp_path, port=port) as aws:
        assert item(aws) == "before the kill"
        put_item(aws, "before the end")
        aws.function("works", PID)
        worker, _ = aws.invoke("works", {})
        execution = aws.start(a_task(aws, "waits", aws.function("waits", SLOW)), {"payload": 25})
        time.sleep(1)
        workers = psutil.Process(aws.process.pid).children(recursive=True)
        begun = time.monotonic()
    took = time.monotonic() - begun

    assert worker in {child.pid for child in workers}
    assert not [child for child in workers if child.is_running()]
    assert took < 10

    with a_ministack(tmp_path, port=port) as aws:
        assert item(aws) == "before the end"
        assert aws.invoke("works", {})[1] is None
        # A running execution is not resumed: the supervisor starts the loop again.
        found = aws.states().describe_execution(executionArn=execution)
        assert found["status"] == "FAILED"


def test_an_end_while_the_tables_are_being_saved_keeps_the_last_write(tmp_path: Path) -> None:
    port = free_port()
    with a_ministack(tmp_path, port=port) as aws:
        put_item(aws, "before the save")
        tables = aws.client("dynamodb")
        for number in range(64):  # so much that saving takes a while
            much = {"k": {"S": str(number)}, "v": {"S": "x" * 300_000}}
            tables.put_item(TableName="kept", Item=much)
        saver = aws.places.aws_state / "dynamodb.json.tmp"
        os.kill(aws.process.pid, signal.SIGUSR1)
        deadline = time.monotonic() + 15
        while not saver.exists():
            assert time.monotonic() < deadline, "nothing was saved within 15 s"
        put_item(aws, "while it was saved")

    with a_ministack(tmp_path, port=port) as aws:
        assert item(aws) == "while it was saved"


def test_workers_end_when_their_ministack_is_killed(tmp_path: Path) -> None:
    with a_ministack(tmp_path) as aws:
        aws.start(a_task(aws, "slow", aws.function("slow", SLOW)), {"payload": 25})
        time.sleep(1.5)
        (worker,) = [
            child
            for child in psutil.Process(aws.process.pid).children()
            if "_worker.py" in " ".join(child.cmdline())
        ]

        aws.process.kill()
        aws.process.wait()

        worker.wait(5)
        assert not worker.is_running()


def test_a_transaction_with_a_condition_check_writes_all_or_nothing_and_tells_why(
    aws: MiniStack,
) -> None:
    put_item(aws, "lease")
    tables = aws.client("dynamodb")

    def write(held_by: str) -> None:
        tables.transact_write_items(
            TransactItems=[
                {
                    "ConditionCheck": {
                        "TableName": "kept",
                        "Key": {"k": {"S": "one"}},
                        "ConditionExpression": "v = :v",
                        "ExpressionAttributeValues": {":v": {"S": held_by}},
                    }
                },
                {"Put": {"TableName": "kept", "Item": {"k": {"S": f"fact of {held_by}"}}}},
            ]
        )

    write("lease")
    with pytest.raises(tables.exceptions.TransactionCanceledException) as refused:
        write("zombie")

    reasons = [reason["Code"] for reason in refused.value.response["CancellationReasons"]]
    assert reasons == ["ConditionalCheckFailed", "None"]
    keys = {i["k"]["S"] for i in tables.scan(TableName="kept")["Items"]}
    assert keys == {"one", "fact of lease"}


def test_a_sparse_local_index_is_read_strongly(aws: MiniStack) -> None:
    tables = aws.client("dynamodb")
    tables.create_table(
        TableName="sparse",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": "connection_id", "AttributeType": "S"},
            {"AttributeName": "order", "AttributeType": "S"},
            {"AttributeName": "live_since_ms", "AttributeType": "N"},
        ],
        KeySchema=[
            {"AttributeName": "connection_id", "KeyType": "HASH"},
            {"AttributeName": "order", "KeyType": "RANGE"},
        ],
        LocalSecondaryIndexes=[
            {
                "IndexName": "live",
                "KeySchema": [
                    {"AttributeName": "connection_id", "KeyType": "HASH"},
                    {"AttributeName": "live_since_ms", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )

    def live() -> list[str]:
        found = tables.query(
            TableName="sparse",
            IndexName="live",
            ConsistentRead=True,
            KeyConditionExpression="connection_id = :c",
            ExpressionAttributeValues={":c": {"S": "c1"}},
        )
        return [row["order"]["S"] for row in found["Items"]]

    for n in (3, 1, 2):
        tables.put_item(
            TableName="sparse",
            Item={
                "connection_id": {"S": "c1"},
                "order": {"S": f"o{n}"},
                "live_since_ms": {"N": str(n)},
            },
        )
        assert f"o{n}" in live()
    tables.update_item(
        TableName="sparse",
        Key={"connection_id": {"S": "c1"}, "order": {"S": "o2"}},
        UpdateExpression="REMOVE live_since_ms",
    )

    assert live() == ["o1", "o3"]
