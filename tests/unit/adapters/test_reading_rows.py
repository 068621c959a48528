"""Rows are read as botocore and pynamodb read them, by what is stored of them alone."""

import json
from functools import partial
from typing import Any

import botocore.session
import pytest
from botocore.parsers import JSONParser
from pynamodb.exceptions import AttributeDeserializationError
from pynamodb.models import Model
from tests.samples import a_position

from adapters.dynamo import RowParser
from adapters.position_rows import position_row
from adapters.tables import ALL, ConnectionRow, PositionRow, Row

STOCK: Any = vars(Model)["from_raw_data"].__func__  # as pynamodb has it
KINDS: dict[str, Any] = {
    "text": {"S": "ü"},
    "number": {"N": "1.50"},
    "bytes": {"B": "AAEC"},
    "flag": {"BOOL": False},
    "nothing": {"NULL": True},
    "texts": {"SS": ["a", "b"]},
    "numbers": {"NS": ["1", "2"]},
    "blobs": {"BS": ["AAEC", ""]},
    "list": {"L": [{"S": "x"}, {"B": "AAEC"}, {"M": {"deep": {"B": ""}}}]},
    "map": {"M": {"of": {"N": "3"}, "empty": {"M": {}}, "none": {"L": []}}},
}
PLAIN = {"text": {"S": 'of "B"'}, "number": {"N": "7"}}


def _parsed(parser: JSONParser, operation: str, body: dict[str, Any]) -> dict[str, Any]:
    model = botocore.session.get_session().get_service_model("dynamodb")
    told = {"status_code": 200, "headers": {}, "body": json.dumps(body).encode(), "context": {}}
    answer: dict[str, Any] = parser.parse(told, model.operation_model(operation).output_shape)
    return answer


def test_rows_without_bytes_are_not_walked(monkeypatch: pytest.MonkeyPatch) -> None:
    walked: list[object] = []
    monkeypatch.setattr(RowParser, "_handle_map", lambda self, shape, value: walked.append(value))

    _parsed(RowParser(), "Query", {"Items": [PLAIN]})
    assert walked == []
    _parsed(RowParser(), "Query", {"Items": [PLAIN, {"bytes": {"B": ""}}]})
    assert len(walked) == 2


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("GetItem", {"Item": KINDS, "ConsumedCapacity": {"CapacityUnits": 1.5}}),
        ("Query", {"Items": [KINDS, {}], "Count": 2, "LastEvaluatedKey": {"a": {"N": "1"}}}),
        ("BatchGetItem", {"Responses": {"t": [KINDS]}, "UnprocessedKeys": {}}),
        ("Query", {"Items": [PLAIN, PLAIN], "Count": 2, "ScannedCount": 2}),
        ("UpdateItem", {"Attributes": KINDS}),
        ("DescribeTable", {"Table": {"TableName": "t", "KeySchema": [], "CreationDateTime": 5}}),
    ],
)
def test_an_answer_is_read_as_botocore_itself_reads_it(
    operation: str, body: dict[str, Any]
) -> None:
    assert _parsed(RowParser(), operation, body) == _parsed(JSONParser(), operation, body)


@pytest.mark.parametrize("model", ALL, ids=lambda model: str(model.__name__))
def test_a_row_is_made_as_pynamodb_makes_it(model: type[Row]) -> None:
    samples = {"S": "[]", "N": "7", "B": b"\x01", "BOOL": True, "L": [{"S": "flag"}]}
    stored = {
        name: {one.attr_type: samples[one.attr_type]}
        for name, one in model.get_attributes().items()
    }
    optional = next(name for name, one in reversed(model.get_attributes().items()))
    for data in (stored, {}, stored | {optional: {"NULL": True}, "of_a_later_version": {"N": "1"}}):
        made = model.from_raw_data(data)

        assert made.attribute_values == STOCK(model, data).attribute_values
        assert type(made) is model


def test_what_was_never_stored_has_its_default_and_no_row_shares_it() -> None:
    one, other = (ConnectionRow.from_raw_data({}) for _ in range(2))
    one.is_active = True

    told = other.attribute_values
    assert (told["is_active"], told["version"], told.get("name")) == (False, 1, None)


def test_a_value_of_another_kind_is_refused_as_pynamodb_refuses_it() -> None:
    for read in (PositionRow.from_raw_data, partial(STOCK, PositionRow)):
        with pytest.raises(AttributeDeserializationError, match="symbol"):
            read({"symbol": {"N": "1"}})


def test_a_row_is_not_asked_for_what_is_not_stored_of_it() -> None:
    class Stored(dict[str, Any]):
        asked = 0

        def get(self, *given: Any) -> Any:
            Stored.asked += 1
            return super().get(*given)

    stored = Stored(position_row("c-1", a_position()).serialize())
    row = PositionRow.from_raw_data(stored)

    assert row.attribute_values == PositionRow.from_raw_data(dict(stored)).attribute_values
    assert Stored.asked == 0
