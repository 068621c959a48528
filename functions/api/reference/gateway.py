"""The document with what the REST gateway is built from."""

from typing import Any

from chalice.app import Chalice

from reference.document import document

# Spelt out, because not every gateway reads `x-amazon-apigateway-any-method`.
_METHODS = ("get", "post", "put", "patch", "delete", "head", "options")


# With ApiAuth=iam the gateway lets nobody in whose signature AWS does not know.
_SIGNED = {"type": {"Fn::If": ["ApiIsSigned", "AWS_IAM", "NONE"]}}


def gateway_document(app: Chalice) -> dict[str, Any]:
    """The API as the gateway reads it.

    A REST gateway answers 403 "Missing Authentication Token" for a path or method it does not
    know. So whatever no route serves goes to the function as well, which answers 404 or 405.
    """
    told = document(app)
    for methods in told["paths"].values():
        for one in methods.values():
            one["x-amazon-apigateway-integration"] = _integration()
            if "security" in one:
                one["x-amazon-apigateway-auth"] = _SIGNED
    rest = {
        method: {
            "summary": "No route; CTS answers 404, or 405 with what is allowed.",
            "responses": {"404": {"description": "There is no such route."}},
            "x-amazon-apigateway-integration": _integration(),
        }
        for method in _METHODS
    }
    paths = {**told.pop("paths"), "/": rest, "/{proxy+}": rest}
    del told["servers"]
    return {
        **told,
        "x-amazon-apigateway-gateway-responses": _gateway_responses(),
        "paths": paths,
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
