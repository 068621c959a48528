"""Every case of the table of differences names a test that exists."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROW = re.compile(r"^\| (\d+) \|(.*)\|$", re.MULTILINE)
CASES = ROW.findall((ROOT / "infra/docs/reconciliation.md").read_text())


def test_cases_are_numbered_through_and_complete() -> None:
    assert [int(number) for number, _ in CASES] == list(range(1, len(CASES) + 1))
    assert len(CASES) >= 30
    for number, rest in CASES:
        case, evidence, action, _, _ = (cell.strip() for cell in rest.split("|"))
        assert case and evidence and action, number


def test_every_case_names_a_test_that_exists() -> None:
    sources = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    there = set(re.findall(r"def (test_\w+)\(", sources))

    named = {rest.split("|")[-1].strip() for _, rest in CASES}

    assert not named - there


def test_every_reason_is_one_that_the_code_gives() -> None:
    code = "\n".join(p.read_text() for p in (ROOT / "layers/engine/engine").rglob("*.py"))
    code = code.replace('f"position_{fill.kind}"', '"position_liquidation" "position_deleveraging"')
    for number, rest in CASES:
        reasons = re.split(r", ", rest.split("|")[-2].strip().replace("! ", ""))
        for reason in filter(None, reasons):
            if reason != "the venue's code":
                assert f'"{reason}"' in code, (number, reason)
