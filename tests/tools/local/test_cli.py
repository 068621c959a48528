"""The command line itself."""

import subprocess
import sys


def test_loading_the_command_line_reads_no_names_of_tables() -> None:
    # Each command sets them first: whatever read them before would ask another stack's tables.
    look = "import sys, local.cli; print([m for m in sys.modules if m.startswith('adapters.')])"

    seen = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)

    assert seen.stdout.strip() == "[]"
