"""What several test modules share."""

from __future__ import annotations

import os

import pytest

from lrlab.training.data import FETCH_HINT, DataSource, find_source


@pytest.fixture(scope="session")
def full_data() -> DataSource:
    """The full Fashion-MNIST; a test that needs it fails without it in CI, else is skipped."""
    source = find_source()
    if source.key == "sample":
        message = f"needs the full Fashion-MNIST. Get it with: {FETCH_HINT}"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return source
