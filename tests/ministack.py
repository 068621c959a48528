"""A MiniStack of the tests' own, with our cures, and tiny Lambdas written in a line or two."""

import io
import json
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import httpx
from botocore.config import Config

from local.places import ROOT, Places, Ports
from local.stack import client

ROLE = "arn:aws:iam::000000000000:role/tests"
MACHINES = ROOT / "infra" / "statemachines"


@dataclass(frozen=True, slots=True, kw_only=True)
class MiniStack:
    """A running MiniStack: its process and where its files are."""

    process: "subprocess.Popen[bytes]"
    places: Places

    def client(self, service: str) -> Any:
        """A boto3 client of it."""
        return client(self.places, service)

    def states(self) -> Any:
        """A Step Functions client that may start executions synchronously."""
        return boto3.client(
            "stepfunctions",
            endpoint_url=self.places.aws_url,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            region_name="us-east-1",
            config=Config(inject_host_prefix=False, read_timeout=120),
        )

    def function(self, name: str, body: str, *, timeout: int = 30, first: str = "") -> str:
        """Put a Lambda whose handler has this body, after what runs `first`; answers its ARN."""
        lines = "\n".join(f"    {line}" for line in body.splitlines())
        code = io.BytesIO()
        with zipfile.ZipFile(code, "w") as archive:
            archive.writestr("app.py", f"{first}\ndef handler(event, context):\n{lines}\n")
        lambdas = self.client("lambda")
        made = lambdas.create_function(
            FunctionName=name,
            Runtime="python3.12",
            Handler="app.handler",
            Role=ROLE,
            Timeout=timeout,
            Code={"ZipFile": code.getvalue()},
        )
        return str(made["FunctionArn"])

    def invoke(self, name: str, event: Mapping[str, Any]) -> tuple[Any, str | None]:
        """A Lambda's answer and the kind of its error, if any."""
        answer = self.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event))
        return json.loads(answer["Payload"].read()), answer.get("FunctionError")

    def machine(
        self, name: str, definition: Mapping[str, Any], *, kind: str, **substitutions: str
    ) -> str:
        """Put a state machine from an ASL file's content; answers its ARN."""
        text = json.dumps(definition)
        for key, value in substitutions.items():
            text = text.replace(f"${{{key}}}", value)
        assert "${" not in text, f"{name} has a placeholder nobody filled"
        made = self.states().create_state_machine(
            name=name, definition=text, roleArn=ROLE, type=kind
        )
        return str(made["stateMachineArn"])

    def run(self, arn: str, event: Mapping[str, Any]) -> dict[str, Any]:
        """One execution to its end: its status, output, error and the states it entered."""
        execution = self.start(arn, event)
        return self.ended(execution)

    def start(self, arn: str, event: Mapping[str, Any]) -> str:
        """Start an execution; answers its ARN."""
        started = self.states().start_execution(stateMachineArn=arn, input=json.dumps(event))
        return str(started["executionArn"])

    def ended(self, execution: str, *, within_s: float = 60) -> dict[str, Any]:
        """Wait for an execution's end."""
        states = self.states()
        deadline = time.monotonic() + within_s
        while True:
            found = states.describe_execution(executionArn=execution)
            if found["status"] != "RUNNING":
                break
            assert time.monotonic() < deadline, f"{execution} still runs after {within_s} s"
            time.sleep(0.05)
        events = states.get_execution_history(executionArn=execution)["events"]
        entered = [
            e["stateEnteredEventDetails"]["name"] for e in events if "stateEnteredEventDetails" in e
        ]
        return {
            "status": found["status"],
            "output": json.loads(found.get("output") or "null"),
            "error": found.get("error"),
            "cause": found.get("cause"),
            "entered": entered,
        }


def free_port() -> int:
    """A port of 127.0.0.1 nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def a_ministack(home: Path, *, port: int | None = None) -> Iterator[MiniStack]:
    """Start MiniStack on `home`'s state and end it with SIGTERM, as the twin does."""
    ports = Ports(aws=port or free_port(), paper=free_port(), paper_control=free_port())
    places = Places(home=home, ports=ports)
    places.logs.mkdir(parents=True, exist_ok=True)
    with (places.logs / "aws.log").open("ab") as log:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "local.aws"),
                *("--port", str(places.ports.aws)),
                *("--state", str(places.aws_state)),
                *("--logs", str(places.logs)),
            ],
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        _until_ready(process, places)
        yield MiniStack(process=process, places=places)
    finally:
        process.terminate()
        process.wait(20)


def _until_ready(process: "subprocess.Popen[bytes]", places: Places) -> None:
    deadline = time.monotonic() + 30
    while True:
        assert process.poll() is None, (places.logs / "aws.log").read_text()
        assert time.monotonic() < deadline, "MiniStack was not ready within 30 s"
        try:
            if httpx.get(f"{places.aws_url}/_ministack/ready", trust_env=False).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.05)


def asl(name: str) -> dict[str, Any]:
    """The content of `infra/statemachines/<name>.asl.json`."""
    definition: dict[str, Any] = json.loads((MACHINES / f"{name}.asl.json").read_text())
    return definition
