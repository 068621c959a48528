"""The very template that goes to AWS, built by SAM and deployed to the twin's AWS."""

import asyncio
import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

from local.checks import search_path
from local.places import ROOT, Places
from local.processes import end_session

SAM = ("uvx", "--from", "aws-sam-cli==1.170.0", "sam")
STACK = "cts-local"
REGION = "us-east-1"
BUILT_FROM = ("template.yaml", "samconfig.toml", "layers", "functions", "infra/statemachines")
BUILT_FROM_FILES = ("infra/gateway.yaml",)


class DeployError(Exception):
    """SAM failed; the message names its log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """What the twin needs to know of the stack."""

    api_id: str
    stage: str = "v1"

    def upstream(self, places: Places) -> str:
        """Where the REST gateway answers for the deployed API."""
        return f"{places.aws_url}/_aws/execute-api/{self.api_id}/{self.stage}"


def credentials(places: Places) -> dict[str, str]:
    """The environment in which AWS is the twin's AWS, whatever the caller's own says."""
    return {
        "AWS_ENDPOINT_URL": places.aws_url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


def loop_arn(loop: str) -> str:
    """The state machine of the trade or the position loop in the twin's AWS."""
    return f"arn:aws:states:{REGION}:000000000000:stateMachine:{STACK}-{loop}-loop"


def client(places: Places, service: str) -> Any:
    """A boto3 client of the twin's AWS."""
    return boto3.client(
        service,
        endpoint_url=places.aws_url,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        region_name=REGION,
    )


async def build(places: Places) -> bool:
    """`sam build`, left out if nothing it reads has changed; tells whether it built.

    Raises
    ------
    DeployError
        If SAM fails.
    """
    digest = source_digest(ROOT)
    stamp = places.build / "digest"
    if stamp.exists() and stamp.read_text(encoding="ascii") == digest:
        return False
    stamp.unlink(missing_ok=True)
    await _sam(
        places,
        "build",
        "--build-dir",
        str(_artifacts(places)),
        "--cache-dir",
        str(places.build / "cache"),
    )
    stamp.write_text(digest, encoding="ascii")
    return True


async def deploy(places: Places) -> Deployed:
    """`sam deploy`, then what MiniStack drops from the template.

    Raises
    ------
    DeployError
        If SAM fails.
    """
    overrides = (
        "Environment=local",
        # Everybody here has one address, and a test asks more often than an operator.
        "ApiChangesPerMinute=100000",
        "ApiReadsPerSecond=100000",
        "ApiFailuresPerMinute=100000",
        f"PaperExchangeAddress=127.0.0.1:{places.ports.paper}",
        f"PaperExchangeCa={places.paper_ca}",
    )
    await _sam(
        places,
        "deploy",
        "--template-file",
        str(_artifacts(places) / "template.yaml"),
        "--parameter-overrides",
        *overrides,
    )
    return await asyncio.to_thread(_finish, places)


def find(places: Places) -> Deployed | None:
    """The stack that is deployed, or None if there is none or it is not whole."""
    try:
        stacks = client(places, "cloudformation").describe_stacks(StackName=STACK)["Stacks"]
    except ClientError:
        return None
    outputs = {
        output["OutputKey"]: output["OutputValue"] for output in stacks[0].get("Outputs", [])
    }
    if not stacks[0]["StackStatus"].endswith("_COMPLETE") or "ApiId" not in outputs:
        return None
    return Deployed(api_id=outputs["ApiId"])


def short_lived(template: str) -> list[str]:
    """Tables whose rows the template lets expire, which its deployment on MiniStack drops."""
    tables = template.split("TableName: !Sub ${AWS::StackName}-")[1:]
    return [table.split()[0] for table in tables if "TimeToLiveSpecification" in table]


def _finish(places: Places) -> Deployed:
    tables = client(places, "dynamodb")
    for table in short_lived((ROOT / "template.yaml").read_text(encoding="utf-8")):
        name = f"{STACK}-{table}"
        status = tables.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
        if status["TimeToLiveStatus"] != "ENABLED":
            tables.update_time_to_live(
                TableName=name,
                TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires_at"},
            )
    deployed = find(places)
    if deployed is None:
        raise DeployError(f"the stack {STACK} is not whole after its deployment")
    return deployed


def _artifacts(places: Places) -> Path:
    """Links resolved, because the built template names files relative to where it stands."""
    return places.build.resolve() / "artifacts"


def source_digest(root: Path) -> str:
    """A digest over the names and contents of everything `sam build` reads."""
    digest = hashlib.sha256()
    for file in _sources(root):
        digest.update(f"{file.relative_to(root)}\0".encode())
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def _sources(root: Path) -> Iterable[Path]:
    for name in (*BUILT_FROM, *BUILT_FROM_FILES):
        path = root / name
        found = [path] if path.is_file() else sorted(path.rglob("*"))
        yield from (f for f in found if f.is_file() and "__pycache__" not in f.parts)


def _without_callers_own(environment: Mapping[str, str]) -> dict[str, str]:
    """No profile, role or session of the caller's may send this to the real AWS."""
    return {name: value for name, value in environment.items() if not name.startswith("AWS_")}


async def _sam(places: Places, command: str, *arguments: str) -> None:
    log = places.logs / f"sam-{command}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *SAM,
            command,
            "--config-file",
            str(ROOT / "samconfig.toml"),
            "--config-env",
            "local",
            *arguments,
            cwd=ROOT,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={
                **_without_callers_own(os.environ),
                **credentials(places),
                "PATH": search_path(),
                "SAM_CLI_TELEMETRY": "0",
            },
            start_new_session=True,
        )
        try:
            code = await process.wait()
        except asyncio.CancelledError:
            await end_session(process)  # its makes and installers too
            raise
    if code != 0:
        last = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
        raise DeployError(f"sam {command} failed ({' '.join(last)}): see {log}")
