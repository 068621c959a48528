"""`cts up` as a user meets it: up, hurt, down, up again, with nothing left running."""

import os
import signal

import pytest
from tests.e2e.twin_process import Home, a_home, up

pytestmark = [pytest.mark.twin, pytest.mark.timeout(420)]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return a_home(tmp_path_factory.mktemp("twin") / "home")


def test_the_twin_comes_up_heals_and_goes_down_with_nothing_left(home: Home) -> None:
    with up(home, "--symbols", "3") as first:
        first.until("up after")
        token = (home.folder / "token").read_text().strip()
        assert first.text().count(token) == 1
        assert (home.folder / "token").stat().st_mode & 0o777 == 0o600

        second = home.cts("up", *home.ports)
        assert second.returncode == 1
        assert second.stderr.strip().startswith("The twin is already up (process")

        before = home.processes()
        assert set(before) == {"the paper exchange", "AWS", "the API", "the console"}
        for name, sent in (
            ("the paper exchange", signal.SIGKILL),
            ("the API", signal.SIGKILL),
            ("the console", signal.SIGKILL),
            ("AWS", signal.SIGTERM),
        ):
            os.kill(before[name], sent)
            first.until(f"{name} is back")
        assert all(home.processes()[name] != pid for name, pid in before.items())

        shown = home.cts("status")
        assert shown.returncode == 0
        assert "engine: wanted running" in shown.stdout

        down = home.cts("down")
        assert down.returncode == 0
        assert first.process.wait(5) == 0
    assert home.leftovers() == []
    assert home.bound() == []

    assert home.cts("status").returncode == 1


def test_the_twin_comes_up_again_with_the_connection_and_token_it_had(home: Home) -> None:
    token = (home.folder / "token").read_text()

    with up(home, "--symbols", "3", "--no-console") as again:
        again.until("up after")

        assert "the stack is deployed as it was" in again.text()
        assert token.strip() not in again.text()
        assert (home.folder / "token").read_text() == token
        assert "the console" not in home.processes()
    assert home.leftovers() == []
    assert home.bound() == []
