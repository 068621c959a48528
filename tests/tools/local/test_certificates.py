import ssl
import stat
from pathlib import Path

from local.certificates import ensure_certificate, write_private

NOW_MS = 1_800_000_000_000
DAY_MS = 86_400_000


def make(folder: Path, *, now_ms: int = NOW_MS) -> tuple[Path, Path]:
    ca, server = folder / "ca.pem", folder / "server.pem"
    ensure_certificate(ca_file=ca, server_file=server, now_ms=now_ms)
    return ca, server


def test_the_server_file_loads_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    ca, server = make(tmp_path)

    ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(server)
    assert stat.S_IMODE(server.stat().st_mode) == 0o600
    assert b"PRIVATE KEY" not in ca.read_bytes()


def test_files_that_are_still_good_stay_as_they_are(tmp_path: Path) -> None:
    ca, server = make(tmp_path)
    before = ca.read_bytes(), server.read_bytes()

    make(tmp_path, now_ms=NOW_MS + 700 * DAY_MS)

    assert (ca.read_bytes(), server.read_bytes()) == before


def test_files_that_end_within_a_month_are_made_anew(tmp_path: Path) -> None:
    ca, _ = make(tmp_path)
    before = ca.read_bytes()

    make(tmp_path, now_ms=NOW_MS + 800 * DAY_MS)

    assert ca.read_bytes() != before


def test_a_private_file_replaces_a_readable_one_of_its_name(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("old")
    file.chmod(0o644)

    write_private(file, b"new")

    assert file.read_bytes() == b"new"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
