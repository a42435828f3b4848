"""Settings of the tests beside other libraries."""

from __future__ import annotations

import warnings

import pytest

#: libraries whose own deprecations and notices are theirs; every other warning stays an error
PEERS = ("esda", "giddy", "libpysal", "pyfixest", "quantecon", "seaborn", "spreg")


@pytest.fixture
def others_warn():
    """Warnings raised from modules of the peers are theirs, not ours."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=rf"({'|'.join(PEERS)})(\.|$)")
        yield
