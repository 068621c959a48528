from pathlib import Path

import pytest

from local.gates import UnknownPartError, run


def a_rung(root: Path, rung: str, body: str) -> None:
    folder = root / "tests" / rung
    folder.mkdir(parents=True)
    (folder / f"test_{rung}.py").write_text(f"def test_it():\n    {body}\n")


def test_a_failing_rung_fails_the_run_but_the_next_one_still_runs(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    a_rung(tmp_path, "unit", "assert False")
    a_rung(tmp_path, "contracts", "assert True")
    said: list[str] = []

    code = run(["contracts", "unit"], say=said.append, root=tmp_path)

    assert code == 1
    assert said[:2] == ["== pytest unit", "== pytest contracts"]
    assert said[-2].startswith("FAILED pytest unit")
    assert said[-1].startswith("holds  pytest contracts")
    shown = capfd.readouterr().out
    assert "1 failed" in shown
    assert "1 passed" in shown


def test_the_twin_has_the_machine_alone_and_all_others_use_every_core(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)  # of the run this test is part of
    for rung in ("unit", "simulation", "integration", "e2e"):
        a_rung(tmp_path, rung, "import os; assert ('PYTEST_XDIST_WORKER' in os.environ) == WIDE")
        file = tmp_path / "tests" / rung / f"test_{rung}.py"
        file.write_text(f"WIDE = {rung != 'e2e'}\n{file.read_text()}")

    assert run(["unit", "simulation", "integration", "e2e"], say=print, root=tmp_path) == 0
    shown = capfd.readouterr().out
    assert (shown.count("2 passed"), shown.count("1 passed")) == (1, 2)


def test_a_run_holds_when_every_rung_does(tmp_path: Path) -> None:
    a_rung(tmp_path, "unit", "assert True")

    assert run(["unit", "e2e"], say=lambda text: None, root=tmp_path) == 0


def test_an_unknown_part_is_refused_with_the_parts_there_are() -> None:
    with pytest.raises(UnknownPartError, match="checks, unit"):
        run(["unti"], say=lambda text: None)
