import os
import subprocess
import sys
from pathlib import Path

import pytest

from local.checks import NotReadyError, check_machine, only_one, running_twin
from local.places import Places, default_home


def test_a_second_twin_in_the_same_home_is_refused_and_names_the_first(tmp_path: Path) -> None:
    places = Places(home=tmp_path)

    refused = pytest.raises(NotReadyError, match=f"process {os.getpid()}")

    with only_one(places), refused, only_one(places):
        pass


def test_the_lock_is_free_again_after_the_twin_ended(tmp_path: Path) -> None:
    places = Places(home=tmp_path)
    with only_one(places):
        pass

    assert running_twin(places) is None
    with only_one(places):
        assert running_twin(places) == os.getpid()


def test_the_lock_of_a_killed_twin_holds_nobody_up(tmp_path: Path) -> None:
    script = (
        "import os; from pathlib import Path; from local.checks import only_one;"
        "from local.places import Places;"
        f"only_one(Places(home=Path({str(tmp_path)!r}))).__enter__(); os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", script], check=False, timeout=30)
    places = Places(home=tmp_path)

    assert places.lock.exists()
    with only_one(places):
        assert running_twin(places) == os.getpid()


def test_nothing_is_up_in_a_home_that_never_was(tmp_path: Path) -> None:
    assert running_twin(Places(home=tmp_path / "none")) is None


def test_the_home_is_moved_by_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CTS_HOME", str(tmp_path / "elsewhere"))

    assert default_home() == tmp_path / "elsewhere"


def test_a_wrong_python_is_refused_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 13, 1, "final", 0))

    with pytest.raises(NotReadyError) as refused:
        check_machine(Places(home=tmp_path), console=False)

    assert str(refused.value) == "CTS needs Python 3.12, this is 3.13: run it with `uv run cts up`."
    assert list(tmp_path.iterdir()) == []
