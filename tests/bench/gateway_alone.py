"""The way to the API without the API: front, REST gateway and Lambda, to a function of one line."""

import io
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from ssl import create_default_context
from typing import Any

from tests.ministack import free_port

from local.places import Places
from local.stack import REGION, Deployed, client

_NAME = "bench-gateway-alone"
_CODE = """
def handler(event, context):
    return {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": "{}"}
"""
_START_S = 30.0


@contextmanager
def gateway_alone(places: Places) -> Iterator[str]:
    """The address of a function that answers at once, behind a front and a gateway of its own."""
    functions, gateway = client(places, "lambda"), client(places, "apigateway")
    arn = functions.create_function(
        FunctionName=_NAME,
        Runtime="python3.12",
        Handler="app.handler",
        Role="arn:aws:iam::000000000000:role/bench",
        MemorySize=512,
        Code={"ZipFile": _zipped()},
    )["FunctionArn"]
    api_id = gateway.create_rest_api(name=_NAME)["id"]
    try:
        _deploy(gateway, api_id, arn)
        with _front(places, Deployed(api_id=api_id)) as url:
            yield f"{url}/alone"
    finally:
        gateway.delete_rest_api(restApiId=api_id)
        functions.delete_function(FunctionName=_NAME)


def _zipped() -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("app.py", _CODE)
    return held.getvalue()


def _deploy(gateway: Any, api_id: str, arn: str) -> None:
    root = gateway.get_resources(restApiId=api_id)["items"][0]["id"]
    one = gateway.create_resource(restApiId=api_id, parentId=root, pathPart="alone")["id"]
    of = {"restApiId": api_id, "resourceId": one, "httpMethod": "GET"}
    gateway.put_method(**of, authorizationType="NONE")
    gateway.put_integration(
        **of,
        type="AWS_PROXY",
        integrationHttpMethod="POST",
        uri=f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{arn}/invocations",
    )
    gateway.create_deployment(restApiId=api_id, stageName=Deployed(api_id=api_id).stage)


@contextmanager
def _front(places: Places, deployed: Deployed) -> Iterator[str]:
    port = free_port()
    certificate = places.home / "server.pem"
    command = [sys.executable, "-m", "local.front", "--upstream", deployed.upstream(places)]
    process = subprocess.Popen(
        [*command, "--certificate", str(certificate), "--port", str(port)],
        stdout=subprocess.DEVNULL,
    )
    url = f"https://127.0.0.1:{port}"
    try:
        _await(f"{url}/alone", places)
        yield url
    finally:
        process.terminate()
        process.wait(10)


def _await(url: str, places: Places) -> None:
    context, until = create_default_context(cafile=str(places.ca)), time.monotonic() + _START_S
    while True:
        try:
            urllib.request.urlopen(url, timeout=_START_S, context=context).close()
        except (urllib.error.URLError, ConnectionError):
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
        else:
            return
