"""A worker's language model: one endpoint for all its sessions."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from worker.engines.base import LanguageModel
from worker.models.allowance import Allowance
from worker.models.client import OpenAIEndpoint
from worker.models.metered import MeteredModel
from worker.models.settings import ModelOptions


class Models:
    """Made once, for the process's life."""

    def __init__(self, options: ModelOptions) -> None:
        self._options = options
        self._endpoint = OpenAIEndpoint(options)

    def open(
        self,
        *,
        allowance: Allowance,
        usage: Mapping[str, int],
        use: Callable[[str, int], None],
        late: Callable[[], bool],
        seed: int,
    ) -> LanguageModel:
        """The model as one stage may use it; see :class:`MeteredModel`."""
        return MeteredModel(
            self._endpoint, self._options, allowance=allowance, usage=usage, use=use, late=late, seed=seed
        )

    async def load(self) -> None:
        """Have what the first question needs."""
        await self._endpoint.load()

    async def close(self) -> None:
        await self._endpoint.close()
