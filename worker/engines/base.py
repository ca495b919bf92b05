"""The one interface behind which every pipeline stands.

An engine turns a :class:`Job` into a result document, stage by stage. It knows nothing of leases, money or
gRPC: the runner hands it a :class:`StageContext` and stores what a stage returns as its checkpoint. A stage
that is started again after a crash gets the outputs of the stages before it and must come to the same output.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

T = TypeVar("T")

JSON = Any
"""A JSON value: what ``json.dumps`` takes without a default function."""

Kept = Any
"""A value that stays in the process that computed it. It is only good for being an argument of later calls of the same
stage, by itself or inside a list, tuple or dict."""


@dataclass(frozen=True, slots=True)
class Job:
    """What a session asks for; the same for every attempt."""

    session_id: str
    session_type: str
    prompt: str
    documents: tuple[str, ...] = ()
    """Ids of the documents that the session names; empty means the owner's whole library."""
    datasets: tuple[str, ...] = ()
    sessions: tuple[str, ...] = ()
    preferences: Mapping[str, Any] = field(default_factory=dict)
    """`depth`, `max_documents`, `language`, `citation_style`, `seed`, `analysis`, as in the REST page."""


@dataclass(frozen=True, slots=True)
class StageSpec:
    """One stage: its stable name and its share of the whole work (weights need not add up to 1)."""

    name: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class WorkSpan:
    """A work that a bibliography lists: code points `start` to `end` of the stored text describe it, end exclusive.
    `csl` is a CSL-JSON item without its abstract."""

    start: int
    end: int
    csl: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class DocumentRecord:
    """A document's card. `characters` counts code points of the stored text; `csl` is what is known of the document as
    a CSL-JSON item, without its abstract; `works` are those of a bibliography."""

    document_id: str
    title: str
    kind: str
    characters: int
    pages: int
    authors: tuple[str, ...] = ()
    year: int | None = None
    doi: str | None = None
    url: str | None = None
    csl: Mapping[str, Any] = field(default_factory=dict)
    works: tuple[WorkSpan, ...] = ()


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage found by a search: `start`/`end` are code points in the stored text, end exclusive."""

    document_id: str
    title: str
    score: float
    quote: str
    page: int | None
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class FoundWork:
    """A work that connectors found, as a document of the session: its abstract, or with `full_text` all of it.
    `connectors` are those that found it, the one that ranks it highest first."""

    record: DocumentRecord
    connectors: tuple[str, ...]
    full_text: bool


@dataclass(frozen=True, slots=True)
class AskedConnector:
    """What came of one connector: works with an abstract that it `found`, those among them that the session's sources
    `held` already, and what went wrong (“did not answer in time”), to be read after its name; "" for nothing."""

    connector: str
    found: int
    held: int
    problem: str


@dataclass(frozen=True, slots=True)
class GatheredWorks:
    """Works, best first, without those that the session's sources hold already."""

    works: tuple[FoundWork, ...]
    asked: tuple[AskedConnector, ...]


class Sources(Protocol):
    """What a stage may read. Every call carries its own deadline."""

    async def search(
        self, query: str, *, limit: int, document_ids: Sequence[str] = (), passages: bool = True
    ) -> list[Hit]: ...

    async def documents(self, document_ids: Sequence[str] = ()) -> list[DocumentRecord]:
        """Cards of the documents named, or of every usable document of the owner."""
        ...

    async def gather_works(
        self, query: str, *, connectors: Sequence[str], limit_each: int, full_text: bool
    ) -> GatheredWorks:
        """Ask connectors for at most `limit_each` works each (1..100); `query` is words, the weightiest first.

        What they find becomes documents of the session, which searches find as well. The same again gives the same.
        """
        ...

    async def text(self, document_id: str) -> str: ...

    async def dataset(self, document_id: str) -> tuple[str, bytes]:
        """Name and raw bytes of a dataset."""
        ...

    async def dataset_file(self, document_id: str) -> tuple[str, str]:
        """Name of a dataset, and the path of a file with its raw bytes, for computations to open. It is there until the
        session's work ends; asking again costs nothing."""
        ...

    async def session_results(self, session_id: str) -> dict[str, JSON]:
        """The stored result document of a completed session, as written by its own engine, plus `prompt`."""
        ...


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """A question to the language model.

    `instructions` are the engine's own words. `data` is what others wrote: it is cleaned and fenced in, and the model
    is told that it holds no instructions. The answer is JSON of `schema`, a JSON Schema of objects with all their
    properties required, arrays, strings, numbers and booleans. `most_tokens` bounds the answer.
    """

    purpose: str
    """One or two words for history and metrics."""
    instructions: str
    data: str
    schema: Mapping[str, JSON]
    most_tokens: int


@dataclass(frozen=True, slots=True)
class ModelAnswer:
    """A value that fits the schema, and what it took."""

    value: JSON
    tokens_in: int
    tokens_out: int


class ModelFailed(Exception):
    """The language model gave nothing that can be used; `code` is stable, the message is fit for the session's history.

    Codes: `budget`, `late`, `too_long`, `unauthorized`, `rejected`, `rate_limited`, `unavailable`, `timeout`,
    `interrupted`, `protocol`, `refused`, `cut_off`, `bad_json`, `bad_schema`, `too_large`.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class LanguageModel(Protocol):
    """The installation's language model, as one stage may use it."""

    @property
    def name(self) -> str:
        """As the endpoint calls it."""
        ...

    @property
    def most_prompt_bytes(self) -> int:
        """How long instructions, data and schema may be together, in bytes of UTF-8."""
        ...

    async def ask(self, request: ModelRequest) -> ModelAnswer:
        """Put a question. What it may cost at most is set aside before the call, and no call is made that the stage's
        reservation does not cover; what it took is counted (`tokens_in`, `tokens_out`). A call has a deadline.

        Raises:
            ModelFailed: always with a reason, and never anything else.
        """
        ...


class StageContext(Protocol):
    """The runner's side of a stage."""

    job: Job
    sources: Sources

    @property
    def model(self) -> LanguageModel | None:
        """None where no language model is set up, or the session goes without one."""
        ...

    @property
    def outputs(self) -> Mapping[str, JSON]:
        """Outputs of the finished stages, by stage name, as JSON came back from storage."""
        ...

    @property
    def write_up(self) -> bool:
        """True once time or budget is nearly spent: stop gathering, deliver what there is, mark it partial."""
        ...

    async def step(self, done: float, total: float) -> None:
        """Report work done inside this stage and let a pause or a cancel take effect here."""
        ...

    def use(self, item: str, quantity: int) -> None:
        """Count billable work (`document_read`, `passage_read`, `row_read`, `finding_merged`) in whole units; `model`
        counts its own tokens."""
        ...

    def decide(
        self,
        decision: str,
        reason: str,
        *,
        alternatives: Sequence[str] = (),
        excluded: Sequence[Mapping[str, JSON]] = (),
    ) -> None:
        """Put a decision into the session's history (what was searched, kept, left out, and why)."""
        ...

    async def run(self, fn: Callable[..., T], *args: object) -> T:
        """Run CPU-bound work in a process of the session's own, so that heartbeats go on and a pause can end it.

        One call at a time. The function is one of a module, by name; it, its arguments and its value must pickle.
        Raises what `fn` raises, and TypeError for what does not pickle.
        """
        ...

    async def keep(self, fn: Callable[..., object], *args: object) -> Kept:
        """The same for a large value that only later calls of this stage need: it stays where it is."""
        ...


class EngineError(Exception):
    """A failure that is the session's own (unusable input, say), with a stable `code`. Never retried."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code

    def __reduce__(self) -> tuple[type[EngineError], tuple[str, str]]:
        # Raised in a child process and carried over: the default would call the class with one argument.
        return type(self), (self.code, str(self))


class Engine(Protocol):
    """A pipeline: built in, or an entry point of the group `prsm.engines` that is called without arguments
    (docs/engines.md). It has no state between stages, and comes to the same output from the same job and outputs.

    `name` is the entry point's, and what `preferences.engine` asks for. `session_types` and `pausable` must be told to
    the session service as well (`python -m worker.engines` prints how): it decides before a worker is asked. It may
    have `libraries`, names of modules that its computations use: computing processes have them loaded.

    It may have `so_far`, a coroutine function of a StageContext that returns a result document of the finished stages,
    or None where there is nothing new to show. It is asked after every stage but the last, and what it gives can be
    read should the session time out. It counts nothing and decides nothing; that it fails does the session no harm.
    """

    name: str
    session_types: frozenset[str]
    pausable: bool

    def stages(self, job: Job) -> Sequence[StageSpec]:
        """The stages in order; the last one returns the result document."""
        ...

    async def run_stage(self, stage: str, ctx: StageContext) -> JSON:
        """Run one stage and return its output (JSON). The last stage's output is the result document."""
        ...
