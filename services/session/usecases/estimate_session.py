"""EstimateSession: the checks and the price of CreateSession, and nothing kept."""

from __future__ import annotations

from dataclasses import dataclass

from kit.auth.principal import Principal
from kit.errors import ValidationError
from kit.ids import Ids
from kit.money import show
from services.session.drafts import Catalogue, Draft, check
from services.session.ports import Billing, Estimate
from services.session.usecases.planning import Planner, Sources, workload


@dataclass(frozen=True, slots=True)
class Estimated:
    estimate: Estimate
    minutes: int


class EstimateSession:
    def __init__(self, planner: Planner, billing: Billing, catalogue: Catalogue, ids: Ids) -> None:
        self._planner = planner
        self._billing = billing
        self._catalogue = catalogue
        self._ids = ids

    async def __call__(self, principal: Principal, draft: Draft) -> Estimated:
        """Raises ValidationError, Unavailable."""
        drafted = check(draft, self._catalogue)
        await self._planner.citation_style(principal.user_id, drafted, dry_run=True)
        sessions = await self._planner.input_sessions(principal, drafted.sessions)
        prepared = await self._planner.prepare(self._ids.new(), principal.user_id, drafted, dry_run=True)
        estimate = await self._billing.estimate(workload(drafted, Sources(prepared, sessions)))
        if drafted.limit is not None and drafted.limit < estimate.least:
            # Nobody holds anything here, so that billing does not look at the limit.
            issue = f'must be at least "{show(estimate.least)}", the least such a session can cost'
            raise ValidationError.of("budget.limit", issue)
        return Estimated(estimate, await self._planner.minutes(drafted))
