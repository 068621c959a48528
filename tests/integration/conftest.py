"""What the tests of the API share."""

from collections.abc import Iterator

import pytest
from tests.api_world import ApiWorld, api_world


@pytest.fixture
def api(moto_tables: None) -> Iterator[ApiWorld]:
    """The API on empty tables of this test alone."""
    with api_world() as world:
        yield world
