"""What the REST gateway is built from: where each request goes, and nothing else.

What the answers look like is in the description of the API; a gateway that hands every request on
needs none of it, and CloudFormation takes no template above 1 MB.
"""

from typing import Any

from chalice.app import Chalice

from guard import OPEN
from reference.document import path_parameters, routes_of

# Spelt out, because not every gateway reads `x-amazon-apigateway-any-method`.
_METHODS = ("get", "post", "put", "patch", "delete", "head", "options")


# With ApiAuth=iam the gateway lets nobody in whose signature AWS does not know.
_SIGNED = {"type": {"Fn::If": ["ApiIsSigned", "AWS_IAM", "NONE"]}}


def gateway_document(app: Chalice) -> dict[str, Any]:
    """The API as the gateway reads it.

    A REST gateway answers 403 "Missing Authentication Token" for a path or method it does not
    know. So whatever no route serves goes to the function as well, which answers 404 or 405, and
    what a browser asks before a page of another origin may call (OPTIONS) bears no signature.
    """
    paths: dict[str, dict[str, Any]] = {}
    for path, method, _ in routes_of(app):
        methods = paths.setdefault(path, {"options": _handed_on(path)})
        methods[method.lower()] = _handed_on(path)
        if path not in OPEN:
            methods[method.lower()]["x-amazon-apigateway-auth"] = _SIGNED
    rest = {method: _handed_on("/") for method in _METHODS}
    return {
        "openapi": "3.0.1",
        "info": {"title": "CTS", "version": "1"},
        "x-amazon-apigateway-gateway-responses": _gateway_responses(),
        "paths": {**paths, "/": rest, "/{proxy+}": rest},
    }


def _handed_on(path: str) -> dict[str, Any]:
    """One method, whatever it is: the function answers."""
    parameters = [
        {name: one[name] for name in ("name", "in", "required", "schema")}
        for one in path_parameters(path)
    ]
    return {
        **({"parameters": parameters} if parameters else {}),
        "responses": {"200": {"description": "What the function answers."}},
        "x-amazon-apigateway-integration": _integration(),
    }


def _integration() -> dict[str, Any]:
    uri = (
        "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/"
        "${ApiFunction.Arn}/invocations"
    )
    return {"type": "aws_proxy", "httpMethod": "POST", "uri": {"Fn::Sub": uri}}


def _gateway_responses() -> dict[str, Any]:
    """What the gateway refuses by itself, in the envelope of every other failure."""
    body = '{"success": false, "error": $context.error.messageString, "details": []}'
    answer = {"responseTemplates": {"application/json": body}}
    return dict.fromkeys(("DEFAULT_4XX", "DEFAULT_5XX"), answer)
