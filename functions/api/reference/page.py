"""The page that shows the API: one file, which asks nothing of anybody but this API."""

import base64
import hashlib
from functools import cache
from pathlib import Path

_VIEWER = Path(__file__).with_name("viewer")
_START = """\
const viewer = document.querySelector("rapi-doc");
fetch("openapi.json").then((answer) => answer.json()).then((told) => {
  told.servers = [{ url: location.href.split("/api/docs")[0] }];
  viewer.loadSpec(told);
});
"""
_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>CTS API</title>
<link rel="icon" href="data:,">
<style>body {{ margin: 0 }}</style>
<script>{viewer}</script>
</head>
<body>
<rapi-doc load-fonts="false" render-style="read" theme="light" show-header="false"
  regular-font="system-ui, sans-serif" mono-font="ui-monospace, monospace"
  primary-color="#1f6f5c" nav-bg-color="#f4f6f5" nav-text-color="#1d2b27" use-path-in-nav-bar="true"
  sort-endpoints-by="path" schema-style="table" default-schema-tab="example"
  schema-description-expanded="true" allow-spec-url-load="false" allow-spec-file-load="false"
  allow-server-selection="false" show-method-in-nav-bar="as-colored-text" allow-search="true"
  persist-auth="false">
</rapi-doc>
<script>{start}</script>
</body>
</html>
"""


@cache
def page() -> str:
    """The HTML, with the viewer in it."""
    viewer = (_VIEWER / "rapidoc-min.js").read_text(encoding="utf-8")
    return _PAGE.format(viewer=viewer, start=_START)


@cache
def page_policy() -> str:
    """What a browser lets the page do: run these two scripts and talk to where it came from."""
    viewer = (_VIEWER / "rapidoc-min.js").read_text(encoding="utf-8")
    scripts = " ".join(_digest(script) for script in (viewer, _START))
    return (
        f"default-src 'none'; script-src {scripts}; style-src 'unsafe-inline'; img-src data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _digest(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
