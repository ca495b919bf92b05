"""Estimate: a workload priced, without an account."""

from __future__ import annotations

from services.billing.domain import Estimate, Workload
from services.billing.ports import Pricing


class EstimateWorkload:
    def __init__(self, pricing: Pricing) -> None:
        self._pricing = pricing

    def __call__(self, workload: Workload) -> Estimate:
        """Raises ValidationError for a session type that has no price."""
        return self._pricing.estimate(workload)
