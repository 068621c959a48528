from pathlib import Path

import pytest

from local.logs import NoLogError, error_lines, is_error, show


@pytest.mark.parametrize(
    "line",
    [
        '{"level":"ERROR","message":"x"}',
        '{"level": "CRITICAL", "message": "x"}',
        "2026-11-21 12:25:04 ERROR [lambda] no",
        "[E 2026-11-21 12:00:00.000 ServerApp] [ERROR] no",
        "Traceback (most recent call last):",
    ],
)
def test_an_error_is_known_by_its_level(line: str) -> None:
    assert is_error(line)


@pytest.mark.parametrize(
    "line",
    ['{"level":"INFO","message":"ERROR"}', "2026-11-21 12:25:04 INFO [x] fine", "", "ERRORS: none"],
)
def test_what_only_speaks_of_errors_is_none(line: str) -> None:
    assert not is_error(line)


def test_errors_are_gathered_from_every_log_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "aws.log").write_text("fine\n12:00 ERROR [x] bad\n")
    (tmp_path / "lambda-api.log").write_text('{"level":"ERROR"}\n')

    assert error_lines(tmp_path) == ["aws: 12:00 ERROR [x] bad", 'lambda-api: {"level":"ERROR"}']


def test_the_ends_of_all_logs_are_shown_under_their_names(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("1\n2\n3\n")
    (tmp_path / "b.log").write_text("4\n")

    assert list(show(tmp_path, None, lines=2, follow=False)) == ["a | 2", "a | 3", "b | 4"]
    assert list(show(tmp_path, "b", lines=2, follow=False)) == ["4"]


def test_following_shows_what_is_added(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("1\n")
    shown = show(tmp_path, "a", lines=5, follow=True)

    first = next(shown)
    with log.open("a") as opened:
        opened.write("2\n")

    assert [first, next(shown)] == ["1", "2"]


def test_an_unknown_log_is_refused_with_the_names_there_are(tmp_path: Path) -> None:
    (tmp_path / "aws.log").write_text("")

    with pytest.raises(NoLogError, match="aws"):
        list(show(tmp_path, "nothing", lines=1, follow=False))
