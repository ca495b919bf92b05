"""What the runner needs of the rest of the platform. Every call has a deadline and raises kit.errors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeVar

from worker.engines.base import Kept, LanguageModel, Sources, StageSpec
from worker.model import Beat, BeatAnswer, Begun, Claim, Directive, EmptyFirst, Failure, Finished, Lease, Outcome
from worker.models.allowance import Allowance

T = TypeVar("T")


class Sessions(Protocol):
    """The session service. Writes under a lease that is no longer held raise LeaseLost."""

    async def claim_next(self, worker_id: str, engines: Sequence[str], in_hand: int) -> Claim | EmptyFirst | None: ...

    async def start(self, lease: Lease, stages: Sequence[StageSpec]) -> None: ...

    async def begin_stage(self, lease: Lease, stage: str) -> Begun: ...

    async def heartbeat(self, beat: Beat) -> BeatAnswer: ...

    async def checkpoint(self, finished: Finished) -> Directive: ...

    async def complete(self, lease: Lease, outcome: Outcome) -> None: ...

    async def fail(self, lease: Lease, failure: Failure) -> bool:
        """Whether the session is queued again."""
        ...

    async def release(self, lease: Lease, reason: str) -> None: ...


class Artifacts(Protocol):
    """Stage outputs and results, immutable, at the results service."""

    async def put(self, grant: str, content: bytes, *, result: bool) -> str:
        """Store a checkpoint, or the result document; its SHA-256 in hex. Storing it again changes nothing."""
        ...

    async def get(self, grant: str, epoch: int, digest: str) -> bytes: ...


class Grant(Protocol):
    """The grant as it is at the moment of a call; heartbeats renew it."""

    def __call__(self) -> str: ...


class OpenedSources(Sources, Protocol):
    """Sources for one attempt."""

    async def close(self) -> None:
        """Remove the files that were made for it."""
        ...


class OpenSources(Protocol):
    """Gives the sources that a grant opens."""

    def __call__(self, grant: Grant, /) -> OpenedSources: ...


class Computer(Protocol):
    """Runs an attempt's CPU-bound work, one call at a time; a call that is cancelled ends at once."""

    def needs(self, libraries: Sequence[str]) -> None:
        """Modules that are to be loaded before the first call."""
        ...

    async def run(self, fn: Callable[..., T], *args: object) -> T: ...

    async def keep(self, fn: Callable[..., object], *args: object) -> Kept: ...

    async def forget(self) -> None:
        """Let go of all that is kept."""
        ...

    async def close(self) -> None:
        """End what is under way. Returns when it has ended."""
        ...

    def cpu_seconds(self) -> float: ...

    def peak_memory_mb(self) -> float: ...


class OpenModel(Protocol):
    """Gives a stage its language model."""

    def __call__(
        self,
        *,
        allowance: Allowance,
        usage: Mapping[str, int],
        use: Callable[[str, int], None],
        late: Callable[[], bool],
        seed: int,
    ) -> LanguageModel:
        """`usage` is what the stage has used so far, `use` counts more; `late` says that the session is to be written
        up: calls end then."""
        ...


class Meter(Protocol):
    """Measures what this process consumes, from its own creation on."""

    def cpu_seconds(self) -> float: ...

    def peak_memory_mb(self) -> float: ...
