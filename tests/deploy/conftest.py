"""The releases, read without any tool."""

from __future__ import annotations

import pytest

from deploy.checks.model import Release
from deploy.checks.sources import FOLDERS, read


@pytest.fixture(scope="session")
def releases() -> dict[str, Release]:
    return {name: read(name) for name in FOLDERS}
