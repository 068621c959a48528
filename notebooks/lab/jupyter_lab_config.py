"""JupyterLab for the console; read when JUPYTER_CONFIG_PATH names this folder.

It asks nothing of the internet, and runs a notebook that wishes it when that is opened.
"""

from pathlib import Path

HERE = Path(__file__).resolve().parent

c = get_config()  # type: ignore[name-defined]  # noqa: F821  Jupyter gives it
c.ServerApp.ip = "127.0.0.1"
c.ServerApp.open_browser = False
c.ServerApp.root_dir = str(HERE.parent)
c.LabApp.default_url = "/doc/tree/console.ipynb"
c.LabApp.extra_labextensions_path = [str(HERE / "labextensions")]
c.LabApp.extension_manager = "readonly"
