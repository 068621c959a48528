"""JupyterLab for the console: found through JUPYTER_CONFIG_PATH, asks nothing of the internet."""

from pathlib import Path

HERE = Path(__file__).resolve().parent

c = get_config()  # type: ignore[name-defined]  # noqa: F821  Jupyter gives it
c.ServerApp.ip = "127.0.0.1"
c.ServerApp.port = 8888
c.ServerApp.port_retries = 0
c.ServerApp.open_browser = False
c.ServerApp.root_dir = str(HERE.parent)
c.LabApp.default_url = "/doc/tree/console.ipynb"
c.LabApp.extra_labextensions_path = [str(HERE / "labextensions")]
c.LabApp.extension_manager = "readonly"
