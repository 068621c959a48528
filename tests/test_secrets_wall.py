"""Who may open credentials: where orders are sent and accounts are tested, nowhere else."""

from pathlib import Path
from typing import Any

from tests.documents import resources

TEMPLATE = Path(__file__).parents[1] / "template.yaml"


def _functions_that_may(action: str) -> set[str]:
    return {
        name
        for name, resource in resources().items()
        if resource["Type"] == "AWS::Serverless::Function" and repr(action) in str(resource)
    }


def _statements(function: str, action: str) -> list[Any]:
    """The conditions under which a function may do it."""
    policies = resources()[function]["Properties"]["Policies"]
    return [
        statement.get("Condition")
        for policy in policies
        for statement in policy["Statement"]
        if action in str(statement["Action"])
    ]


def test_only_the_order_path_and_the_connection_test_may_open_credentials() -> None:
    opening = {"PositionTickFunction", "EngineControlFunction"}

    assert _functions_that_may("kms:Decrypt") == opening | {"SupervisorFunction"}
    assert _statements("SupervisorFunction", "kms:Decrypt") == [
        {"StringEquals": {"kms:EncryptionContext:connection_id": "notifications"}}
    ]


def test_the_api_may_seal_credentials_and_nobody_may_do_all_with_the_key() -> None:
    assert _functions_that_may("kms:Encrypt") == {"ApiFunction"}
    assert _functions_that_may("kms:*") == set()


def test_the_function_that_tests_accounts_sends_no_orders() -> None:
    """It opens the venue, but nothing that sends: neither the position loop nor its desk."""
    source = (TEMPLATE.parent / "functions/engine_control/app.py").read_text()

    assert "position_burst" not in source
    assert "engine.desk" not in source
