import json

import pytest
from tests.bench.__main__ import main
from tests.bench.measuring import table
from tests.bench.targets import Target, verdicts


def test_the_last_line_is_one_json_object(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["j1", "j2", "--tiny", "--json"])

    captured = capsys.readouterr()
    figures = json.loads(captured.out)
    assert code == 0
    assert {"j1_ms", "j2_100k_ms", "j2_1m_ms"} <= set(figures)
    assert "J2: positions" in captured.err


def test_an_unknown_part_is_refused_with_the_parts_there_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        main(["j4"])

    assert "j1, j2, j3, growth" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("target", "value", "holds"),
    [
        (Target(figure="x", bound=10), 10.0, True),
        (Target(figure="x", bound=10), 10.1, False),
        (Target(figure="x", bound=50, at_least=True), 49.9, False),
        (Target(figure="x", bound=50, at_least=True), 50.0, True),
        (Target(figure="x", bound=True, at_least=True), False, False),
        (Target(figure="x", bound=50, at_least=True), None, False),
    ],
)
def test_a_target_is_met_at_its_bound_and_never_by_what_was_not_measured(
    target: Target, value: object, holds: bool
) -> None:
    assert target.holds(value) is holds


def test_only_figures_that_were_asked_for_are_judged() -> None:
    judged = verdicts({"j2_100k_ms": 4.0, "j1_worst_ms": 1.0})

    assert [(each.target.figure, each.holds) for each in judged] == [("j2_100k_ms", False)]


def test_tables_align_numbers_to_the_right_and_words_to_the_left() -> None:
    written = table(("what", "ms", ""), [("one", 1234.5, "#"), ("three", 0.25, "####")])

    assert written.splitlines() == [
        "what      ms",
        "-----  -----  ----",
        "one    1,234  #",
        "three   0.25  ####",
    ]
