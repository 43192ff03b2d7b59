"""The processes that these tests start run unmeasured: measuring takes as long as what is measured."""

import os

import pytest


@pytest.fixture(autouse=True)
def unmeasured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take what starts the measuring of coverage out of the environment."""
    for name in [name for name in os.environ if name.startswith("COV")]:
        monkeypatch.delenv(name)
