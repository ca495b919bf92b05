"""All that the stages before *write* found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from worker.engines.base import StageContext
from worker.engines.research.connected import caveat
from worker.engines.research.coverage import weights_of
from worker.engines.research.model import Candidate, Claim, Exclusion, Json, Outline, Plan, Statement
from worker.engines.research.screen import without_copies
from worker.engines.research.settings import Settings
from worker.engines.research.signals import Signals, signals_of, strengths_of


@dataclass(frozen=True, slots=True)
class Material:
    """All that the earlier stages found, read once from their outputs."""

    prompt: str
    settings: Settings
    plan: Plan
    weights: Mapping[str, float]
    candidates: Sequence[Candidate]
    excluded: Sequence[Exclusion]
    outline: Outline
    failed: frozenset[str]
    checked: int
    digests: Mapping[str, str]
    searches: int
    held: int
    """Documents that the searches found; for an overview, those that the sources hold."""
    read: int
    partial: bool
    named: Sequence[str] = ()
    """Documents that the session names."""
    strengths: Mapping[str, float] = field(default_factory=dict)
    """The strength of each document's strongest statement."""
    gists: Mapping[str, Json] = field(default_factory=dict)
    """The sentence that says best what a document contributes, by document; only those verified."""
    unasked: str = ""
    """What must be owned up to about connectors; empty where all of them answered."""

    def signals(self, claim: Claim | None) -> Signals:
        """What speaks for a claim being an answer."""
        found = [(item.document_id, item.coverage) for item in without_copies(self.candidates, self.excluded)]
        return signals_of(claim, found, self.strengths)

    @classmethod
    def of(cls, ctx: StageContext) -> Material:
        outputs = ctx.outputs
        plan = Plan.of(outputs["plan"]["plan"])
        verify = outputs["verify"]
        stages = [outputs["gather"], outputs["read"], outputs.get("analyse", {})]
        return cls(
            prompt=ctx.job.prompt,
            settings=Settings.of(ctx.job),
            plan=plan,
            weights=weights_of(plan, outputs["gather"]["weights"]),
            candidates=[Candidate.of(data) for data in outputs["gather"]["candidates"]],
            excluded=[Exclusion.of(data) for data in [*outputs["screen"]["excluded"], *outputs["read"]["excluded"]]],
            outline=Outline.of(outputs["synthesise"]["outline"]),
            failed=frozenset(verify["failed"]),
            checked=len(verify["verified"]) + len(verify["failed"]),
            digests=verify["sha256"],
            searches=int(outputs["gather"]["searches"]),
            held=int(outputs["gather"]["held"]),
            read=int(outputs["read"]["read"]),
            partial=any(stage.get("cut_short", False) for stage in stages),
            named=ctx.job.documents,
            strengths=strengths_of(map(Statement.of, outputs["read"]["statements"])),
            gists=verify["gists"],
            unasked=caveat(outputs["gather"].get("connectors", {})),
        )
