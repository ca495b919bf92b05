"""The work on one claim, as the stage and the heartbeat see it."""

from __future__ import annotations

from dataclasses import dataclass, field

from worker.model import ENDING, Claim, Decision, Directive, Resources
from worker.models.allowance import Allowance
from worker.ports import Computer, Meter


@dataclass(slots=True)
class StageState:
    """What the heartbeat reports of the stage under way."""

    name: str = ""
    done: float = 0.0
    usage: dict[str, int] = field(default_factory=dict)
    decisions: list[Decision] = field(default_factory=list)
    allowance: Allowance = field(default_factory=Allowance)


@dataclass(slots=True)
class Attempt:
    """State that changes while the work goes on."""

    claim: Claim
    meter: Meter
    computer: Computer
    grant: str
    write_up: bool
    stage: StageState = field(default_factory=StageState)
    bytes_stored: int = 0
    closing: bool = False
    """Its end is being told: what that is answered tells how it ended, not a heartbeat that hears of it earlier."""

    @classmethod
    def of(cls, claim: Claim, meter: Meter, computer: Computer) -> Attempt:
        return cls(claim, meter, computer, claim.grant, claim.write_up)

    def heed(self, directive: Directive) -> bool:
        """Take a directive in; False when the session is no longer ours."""
        if directive is Directive.WRITE_UP:
            self.write_up = True
        return directive not in ENDING

    def resources(self) -> Resources:
        """What it has consumed so far, in this process and in its computing process."""
        return Resources(
            self.meter.cpu_seconds() + self.computer.cpu_seconds(),
            self.meter.peak_memory_mb() + self.computer.peak_memory_mb(),
            self.bytes_stored,
        )
