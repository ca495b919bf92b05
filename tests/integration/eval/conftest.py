"""The evaluation's own product is here the one that all suites share."""

from __future__ import annotations

import aiohttp
import pytest

from eval.product import Product
from tests.support.stack import RunningStack


@pytest.fixture
def product(stack: RunningStack, client: aiohttp.ClientSession) -> Product:
    """The running stack as the evaluation sees it."""
    return Product(stack.url, stack.data, client)
