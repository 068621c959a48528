from pathlib import Path

import pytest

from console.address import SetupError, find_address


def test_files_are_found_in_the_nearest_folder_above(tmp_path: Path) -> None:
    notebooks = tmp_path / "project" / "notebooks"
    kept = tmp_path / "project" / ".cts"
    notebooks.mkdir(parents=True)
    kept.mkdir()
    (kept / "token").write_text("secret-word\n")
    (kept / "ca.pem").write_text("")

    address = find_address({}, notebooks)

    assert address.url == "https://127.0.0.1:8443"
    assert address.token() == "secret-word"
    assert address.ca_file == kept / "ca.pem"


def test_the_environment_comes_first(tmp_path: Path) -> None:
    token_file = tmp_path / "elsewhere"
    token_file.write_text("other-word")

    address = find_address(
        {"CTS_API_URL": "https://api.example/prod/", "CTS_TOKEN_FILE": str(token_file)}, tmp_path
    )

    assert address.url == "https://api.example/prod"
    assert address.token() == "other-word"
    assert address.ca_file is None


def test_a_url_without_encryption_is_refused() -> None:
    with pytest.raises(SetupError, match="CTS_API_URL must begin with https://"):
        find_address({"CTS_API_URL": "http://127.0.0.1:8443"})


@pytest.mark.parametrize("content", [None, "", "  \n", "w\u00f6rd"])
def test_a_token_file_without_a_token_is_named(tmp_path: Path, content: str | None) -> None:
    address = find_address({"CTS_TOKEN_FILE": str(tmp_path / "token")}, tmp_path)
    if content is not None:
        (tmp_path / "token").write_text(content, encoding="utf-8")

    with pytest.raises(SetupError, match="token"):
        address.token()
