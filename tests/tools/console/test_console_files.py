import hashlib
import json
from pathlib import Path

NOTEBOOKS = Path(__file__).parents[3] / "notebooks"
ASSETS = NOTEBOOKS / "console" / "assets"
# dist/lightweight-charts.standalone.production.js of lightweight-charts 5.2.1 on npm
CHARTS_SHA256 = "e21cc5caa0226ef30bd8549c50b9ef926615f2a4ee6b4e486353477a55f598cf"


def test_the_chart_library_is_the_published_one_with_its_licence_and_notice() -> None:
    library = (ASSETS / "lightweight-charts.js").read_bytes()

    assert hashlib.sha256(library).hexdigest() == CHARTS_SHA256
    assert b"v5.2.1" in library[:200]
    assert "Apache License" in (ASSETS / "lightweight-charts.LICENSE").read_text()
    notice = (ASSETS / "NOTICE").read_text()
    assert "TradingView" in notice
    assert "https://www.tradingview.com/" in notice
    assert "attributionLogo: true" in (ASSETS / "chart.js").read_text()


def test_nothing_of_ours_asks_the_internet_for_scripts_or_fonts() -> None:
    ours = [*ASSETS.glob("chart.js"), *ASSETS.glob("view.js"), *ASSETS.glob("*.css")]
    ours += (NOTEBOOKS / "lab").rglob("*.js")

    assert len(ours) == 4
    assert not [path.name for path in ours if "http" in path.read_text()]


def test_the_notebook_is_thin_and_keeps_no_outputs() -> None:
    notebook = json.loads((NOTEBOOKS / "console.ipynb").read_text())

    assert notebook["cells"]
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        assert len(source.splitlines()) <= 5
        assert "def " not in source
        if cell["cell_type"] == "code":
            assert cell["outputs"] == []
            assert cell["execution_count"] is None
            assert cell["metadata"]["jupyter"]["source_hidden"]
    assert notebook["metadata"]["cts"]["run_when_opened"] is True


def test_jupyterlab_is_told_to_ask_nothing_of_the_internet() -> None:
    overrides = json.loads(
        (NOTEBOOKS / "lab" / "labconfig" / "default_setting_overrides.json").read_text()
    )

    news = overrides["@jupyterlab/apputils-extension:notification"]
    assert news == {"fetchNews": "false", "checkForUpdates": False}
