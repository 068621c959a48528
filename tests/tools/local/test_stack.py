import shutil
import subprocess
from pathlib import Path

import pytest

from adapters.tables import ALL
from local.places import ROOT
from local.stack import BUILT_FROM, short_lived, source_digest

PRUNED = ("pip", "setuptools", "wheel", "inquirer", "click", "pyyaml")
LAYERS = {"core": PRUNED, "market": ("typing-extensions", "urllib3", "winloop")}


def a_source(root: Path) -> Path:
    for name in BUILT_FROM:
        path = root / name
        if "." in Path(name).name:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(name)
        else:
            path.mkdir(parents=True)
    (root / "infra" / "gateway.yaml").write_text("openapi: 3.0.1")
    (root / "functions" / "app.py").write_text("x = 1\n")
    return root


def test_rows_expire_in_just_the_tables_whose_rows_say_when() -> None:
    expiring = {
        model.Meta.table_name.removeprefix("cts-test-")
        for model in ALL
        if "expires_at" in model.get_attributes()
    }

    assert set(short_lived((ROOT / "template.yaml").read_text())) == expiring
    assert expiring


def test_the_digest_changes_with_any_content_and_any_name_that_is_built(tmp_path: Path) -> None:
    root = a_source(tmp_path)
    before = source_digest(root)

    (root / "functions" / "app.py").write_text("x = 2\n")
    changed = source_digest(root)
    (root / "functions" / "app.py").rename(root / "functions" / "other.py")

    assert len({before, changed, source_digest(root)}) == 3


def test_the_digest_does_not_see_what_python_leaves_behind(tmp_path: Path) -> None:
    root = a_source(tmp_path)
    before = source_digest(root)

    (root / "functions" / "__pycache__").mkdir()
    (root / "functions" / "__pycache__" / "app.cpython-312.pyc").write_bytes(b"x")

    assert source_digest(root) == before


@pytest.mark.parametrize("layer", LAYERS)
def test_the_layers_hold_the_versions_of_uv_lock(layer: str) -> None:
    uv = shutil.which("uv")
    if uv is None:
        pytest.skip("uv is not on the PATH, which `uv run` puts it on")
    pruned = [part for name in LAYERS[layer] for part in ("--prune", name)]
    exported = subprocess.run(
        [
            *(uv, "export", "--quiet", "--frozen", "--only-group", f"wheels-{layer}"),
            *("--no-hashes", "--no-emit-project", "--no-annotate", "--no-header", *pruned),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    committed = (ROOT / "layers" / f"wheels_{layer}" / "requirements.txt").read_text()

    assert committed == exported.stdout
