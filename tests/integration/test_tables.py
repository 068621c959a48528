"""The deployed tables are the ones the models describe."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.documents import resources

from adapters.tables import ALL, Row

TEMPLATE = Path(__file__).parents[2] / "template.yaml"
EXPIRING = {
    "trade_progression",
    "market_data",
    "archived_results",
    "commands",
    "request_limits",
    "site_logs",
    "errors",
    "alerts",
    "api_usage",
    "idempotency",
    "equity_samples",
}


def deployed() -> dict[str, dict[str, Any]]:
    """Properties of each table in the template, by its name without the prefix."""
    tables = [
        resource["Properties"]
        for resource in resources().values()
        if resource["Type"] == "AWS::DynamoDB::Table"
    ]
    return {table["TableName"].rpartition("-")[2]: table for table in tables}


def name_of(model: type[Row]) -> str:
    return model.Meta.table_name.removeprefix("cts-test-")


def keys(schema: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    return {key["KeyType"]: key["AttributeName"] for key in schema}


@pytest.mark.parametrize("model", ALL, ids=name_of)
def test_a_deployed_table_has_the_keys_and_indexes_of_its_model(model: type[Row]) -> None:
    schema = model._get_schema()

    table = deployed()[name_of(model)]

    assert keys(table["KeySchema"]) == keys(schema["key_schema"])
    types = {one["AttributeName"]: one["AttributeType"] for one in table["AttributeDefinitions"]}
    assert types == {
        one["AttributeName"]: one["AttributeType"] for one in schema["attribute_definitions"]
    }
    indexes = {
        index["IndexName"]: (keys(index["KeySchema"]), index["Projection"]["ProjectionType"])
        for index in table.get("LocalSecondaryIndexes", [])
    }
    assert indexes == {
        index["index_name"]: (keys(index["key_schema"]), "ALL")
        for index in schema["local_secondary_indexes"]
    }


def test_what_must_not_last_expires_and_nothing_else_does() -> None:
    expiring = {
        name: table["TimeToLiveSpecification"]
        for name, table in deployed().items()
        if "TimeToLiveSpecification" in table
    }

    assert expiring.keys() == EXPIRING
    assert all(
        spec == {"AttributeName": "expires_at", "Enabled": True} for spec in expiring.values()
    )


def test_no_table_is_deployed_without_a_model() -> None:
    assert deployed().keys() == {name_of(model) for model in ALL}
