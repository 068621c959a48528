"""The capability matrix: current, in the API, and true to the tests."""

from tests.api_world import ApiWorld
from tests.venue_cases import VENUES as TESTED

from adapters.capabilities import MATRIX
from local.capabilities import PAGE, WIRES, as_json, as_page, matrix


def test_the_matrix_is_what_ccxt_and_the_registry_say_now() -> None:
    rows = matrix()

    assert MATRIX.read_text() == as_json(rows), "run `python -m local.capabilities`"
    assert PAGE.read_text() == as_page(rows), "run `python -m local.capabilities`"


def test_a_wire_is_marked_as_tested_where_the_contract_runs_on_it() -> None:
    marked = {wire for wires in WIRES.values() for wire in wires}

    assert {case.name for case in TESTED} <= marked


def test_the_api_shows_every_venue_with_its_level_and_why(api: ApiWorld) -> None:
    found = api.get("/api/exchanges").body

    levels = {row["name"]: row["level"] for row in found["exchanges"]}
    assert found["count"] == len(levels) == 11
    assert levels["okx"] == "full"
    assert levels["bingx"] == "basic"
    assert levels["pionex"] == "none"


def test_a_venue_ccxt_does_not_have_is_refused_with_why(api: ApiWorld) -> None:
    for name in ("pionex", "orangex"):
        body = {"name": "n", "exchange": name, "api_key": "k" * 12, "api_secret": "s" * 12}
        answer = api.post("/api/settings/connections", body)

        assert answer.status == 400
        assert f"{name} is not supported, because ccxt has no such venue" in str(answer.body)


def test_an_old_name_is_kept_as_the_venues_own(api: ApiWorld) -> None:
    body = {
        "name": "n", "exchange": "gateio", "api_key": "abcdefgh1234", "api_secret": "hgfedcba4321",
        "position_mode": "one_way",
    }  # fmt: skip
    answer = api.post("/api/settings/connections", body)

    assert answer.status == 201
    assert answer.body["connection"]["exchange"] == "gate"


def test_a_change_to_what_the_venue_does_not_do_is_refused_by_its_field(api: ApiWorld) -> None:
    body = {
        "name": "n", "exchange": "bitget", "api_key": "abcdefgh1234", "api_secret": "hgfedcba4321",
        "api_passphrase": "words", "position_mode": "one_way",
    }  # fmt: skip
    made = api.post("/api/settings/connections", body).body
    one = f"/api/settings/connections/{made['id']}"

    hedge = api.call("PUT", one, {"position_mode": "hedge"})
    bare = api.call("PUT", one, {"api_key": "abcdefgh5678", "api_secret": "hgfedcba5678"})

    assert (hedge.status, bare.status) == (400, 400)
    assert "position_mode must be one_way on bitget" in str(hedge.body)
    assert "api_passphrase must be given on bitget" in str(bare.body)
