from pathlib import Path

import pytest

from local.bench import NoBenchError, run


def test_outside_a_checkout_the_reason_is_told(tmp_path: Path) -> None:
    with pytest.raises(NoBenchError, match="run it in a checkout"):
        run([], as_json=False, root=tmp_path)
