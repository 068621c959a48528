"""Worlds that the cycles turn in."""

import pytest
from tests.position_world import Desk, a_position_loop


@pytest.fixture
def desk() -> Desk:
    return a_position_loop()
