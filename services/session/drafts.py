"""What a client asks for when creating a session, and the rules for it that need no look at anything else."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kit.analysis_requests import faults as analysis_faults
from kit.errors import Fault, ValidationError
from kit.languages import language_fault
from kit.money import InvalidAmount, parse
from kit.times import MINUTE
from services.session.domain import TOKENS_IN, JsonObject, OnLimit, Session, SessionType

MOST_METADATA = 16 * 1024
DEEPEST_METADATA = 16
LEAST_SESSIONS = 2
DEFAULT_DEPTH = "standard"
NO_MODEL = "none"
NO_CONNECTOR = "none"
"""Alone in the list of connectors. In JSON an empty list cannot be told from none at all, which means all of them."""


@dataclass(frozen=True, slots=True)
class DocumentDraft:
    """One entry of `inputs.documents`; None where a field was not given."""

    document_id: str | None = None
    title: str | None = None
    text: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class DatasetDraft:
    """One entry of `inputs.datasets`; None where a field was not given."""

    document_id: str | None = None
    name: str | None = None
    csv: str | None = None
    rows: Sequence[Any] | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """A request as it came; `preferences` holds what was given and nothing else."""

    prompt: str
    session_type: str = ""
    limit: str | None = None
    on_limit: str | None = None
    preferences: JsonObject = field(default_factory=dict)
    metadata: JsonObject = field(default_factory=dict)
    documents: tuple[DocumentDraft, ...] = ()
    datasets: tuple[DatasetDraft, ...] = ()
    sessions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EngineKind:
    """An engine as this installation offers it."""

    types: frozenset[SessionType]
    pausable: bool = True


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What this installation offers."""

    engines: Mapping[str, EngineKind]
    urls: bool
    default_time_limit: int
    model: bool = False
    """Whether workers have a language model."""


@dataclass(frozen=True, slots=True)
class Drafted:
    """A request that keeps all the rules that can be checked without looking anywhere."""

    prompt: str
    session_type: SessionType
    engine: str
    pausable: bool
    limit: int | None
    on_limit: OnLimit
    preferences: JsonObject
    metadata: JsonObject
    documents: tuple[DocumentDraft, ...]
    datasets: tuple[DatasetDraft, ...]
    sessions: tuple[str, ...]
    time_limit: int
    model: bool = False
    """Whether a language model may be used, and paid for."""

    @property
    def depth(self) -> str:
        return str(self.preferences.get("depth", DEFAULT_DEPTH))

    @property
    def max_documents(self) -> int:
        return int(self.preferences.get("max_documents", 0))

    @property
    def uses_library(self) -> bool:
        """Whether it searches the owner's whole library."""
        return self.session_type is SessionType.RESEARCH and not self.documents

    @property
    def connectors(self) -> tuple[str, ...] | None:
        """The connectors that it names, each once; None where it leaves that open."""
        named = self.preferences.get("connectors")
        return tuple(dict.fromkeys(name for name in named if name != NO_CONNECTOR)) if named else None

    @property
    def uses_inputs(self) -> bool:
        return bool(self.documents or self.datasets or self.connectors) or self.uses_library


def check(draft: Draft, catalogue: Catalogue) -> Drafted:
    """Raises ValidationError with every fault."""
    faults = [*rules(draft, catalogue)]
    if faults:
        raise ValidationError(faults)
    session_type = SessionType(draft.session_type or SessionType.RESEARCH)
    engine = str(draft.preferences.get("engine", session_type.value))
    minutes = draft.preferences.get("time_limit_minutes")
    return Drafted(
        prompt=draft.prompt,
        session_type=session_type,
        engine=engine,
        pausable=catalogue.engines[engine].pausable,
        limit=None if draft.limit is None else parse(draft.limit),
        on_limit=OnLimit(draft.on_limit or OnLimit.FINISH),
        preferences=draft.preferences,
        metadata=draft.metadata,
        documents=draft.documents,
        datasets=draft.datasets,
        sessions=draft.sessions,
        time_limit=catalogue.default_time_limit if minutes is None else int(minutes) * MINUTE,
        model=catalogue.model and session_type is SessionType.RESEARCH and draft.preferences.get("model") != NO_MODEL,
    )


def redraft(session: Session) -> Drafted:
    """What a session was made from, to make another one like it."""
    return Drafted(
        prompt=session.prompt,
        session_type=session.session_type,
        engine=session.engine,
        pausable=session.pausable,
        limit=session.budget_limit,
        on_limit=session.on_limit,
        preferences=session.preferences,
        metadata=session.metadata,
        documents=tuple(DocumentDraft(d["document_id"]) for d in session.inputs.get("documents", ())),
        datasets=tuple(DatasetDraft(d["document_id"]) for d in session.inputs.get("datasets", ())),
        sessions=tuple(session.inputs.get("sessions", ())),
        time_limit=session.time_limit,
        model=TOKENS_IN in session.prices,
    )


def rules(draft: Draft, catalogue: Catalogue) -> Iterator[Fault]:
    """Every fault of a request that the message's own rules do not tell."""
    if draft.prompt and not draft.prompt.strip():
        yield Fault("prompt", "must not be blank")
    yield from _limit_rules(draft.limit)
    yield from _json_rules("metadata", draft.metadata)
    yield from _json_rules("preferences.analysis", draft.preferences.get("analysis", {}))
    yield from _analysis_rules(draft)
    yield from _language_rules(draft.preferences.get("language"))
    yield from _offer_rules(draft, catalogue)
    for number, document in enumerate(draft.documents):
        yield from _document_rules(f"inputs.documents[{number}]", document, catalogue)
    for number, dataset in enumerate(draft.datasets):
        yield from _dataset_rules(f"inputs.datasets[{number}]", dataset, catalogue)
    if draft.session_type == SessionType.ANALYSIS and not draft.datasets:
        yield Fault("inputs.datasets", "an analysis needs at least one dataset")
    if draft.session_type == SessionType.SYNTHESIS and len(draft.sessions) < LEAST_SESSIONS:
        yield Fault("inputs.sessions", "a synthesis needs at least two completed sessions")


def _limit_rules(limit: str | None) -> Iterator[Fault]:
    if limit is None:
        return
    try:
        if parse(limit) == 0:
            yield Fault("budget.limit", 'must be greater than 0: write "50.00"')
    except InvalidAmount as error:
        yield Fault("budget.limit", str(error))


def _language_rules(tag: str | None) -> Iterator[Fault]:
    if tag is not None and (issue := language_fault(tag)):
        yield Fault("preferences.language", issue)


def _analysis_rules(draft: Draft) -> Iterator[Fault]:
    """Of the built-in engines; one that an installation adds reads `preferences.analysis` as it likes."""
    if draft.preferences.get("engine", draft.session_type) in ("", *SessionType):
        yield from analysis_faults(draft.preferences.get("analysis"))


def _json_rules(name: str, value: JsonObject) -> Iterator[Fault]:
    if _depth(value, DEEPEST_METADATA + 1) > DEEPEST_METADATA:
        yield Fault(name, f"must not be nested deeper than {DEEPEST_METADATA} levels")
    elif not _finite(value):
        yield Fault(name, "must not contain numbers that are not finite")
    elif len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()) > MOST_METADATA:
        yield Fault(name, f"must be at most {MOST_METADATA} bytes as JSON")


def _depth(value: Any, stop: int) -> int:
    """Levels of nesting, counted up to `stop`."""
    if stop <= 0 or not isinstance(value, (dict, list)):
        return 0
    children = value.values() if isinstance(value, dict) else value
    return 1 + max((_depth(child, stop - 1) for child in children), default=0)


def _finite(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, dict):
        return all(_finite(child) for child in value.values())
    if isinstance(value, (list, tuple)):
        return all(_finite(child) for child in value)
    return True


def _offer_rules(draft: Draft, catalogue: Catalogue) -> Iterator[Fault]:
    if draft.session_type not in ("", *SessionType):
        return
    session_type = SessionType(draft.session_type or SessionType.RESEARCH)
    engine = draft.preferences.get("engine")
    if engine is not None:
        offered = sorted(name for name, kind in catalogue.engines.items() if session_type in kind.types)
        if engine not in offered:
            choices = ", ".join(offered)
            yield Fault("preferences.engine", f"is no engine for {session_type.value} sessions: use {choices}")
    connectors = list(draft.preferences.get("connectors", ()))
    if len(connectors) > 1 and NO_CONNECTOR in connectors:
        yield Fault(f"preferences.connectors[{connectors.index(NO_CONNECTOR)}]", "must stand alone")
    if draft.preferences.get("model", NO_MODEL) != NO_MODEL:
        if not catalogue.model:
            yield Fault("preferences.model", "no language model is set up here: use none, or leave it out")
        elif session_type is not SessionType.RESEARCH:
            yield Fault("preferences.model", "only research sessions use it: use none, or leave it out")


def _document_rules(at: str, document: DocumentDraft, catalogue: Catalogue) -> Iterator[Fault]:
    inline = document.title is not None or document.text is not None
    if sum((document.document_id is not None, inline, document.url is not None)) != 1:
        yield Fault(at, "give exactly one of {document_id}, {title, text}, {url}")
        return
    if inline:
        yield from _both(at, "title", document.title, "text", document.text)
    yield from _url_rules(at, document.url, catalogue, "title and text")


def _dataset_rules(at: str, dataset: DatasetDraft, catalogue: Catalogue) -> Iterator[Fault]:
    inline = dataset.name is not None or dataset.csv is not None or dataset.rows is not None
    both = dataset.csv is not None and dataset.rows is not None
    if both or sum((dataset.document_id is not None, inline, dataset.url is not None)) != 1:
        yield Fault(at, "give exactly one of {document_id}, {name, csv}, {name, rows}, {url}")
        return
    if inline and dataset.rows is None:
        yield from _both(at, "name", dataset.name, "csv", dataset.csv)
    elif inline:
        yield from _both(at, "name", dataset.name, "rows", "given")
        yield from _row_rules(f"{at}.rows", dataset.rows or ())
    yield from _url_rules(at, dataset.url, catalogue, "name and csv or rows")


def _both(at: str, first: str, one: str | None, second: str, other: str | None) -> Iterator[Fault]:
    for name, value, with_ in ((first, one, second), (second, other, first)):
        if value is None:
            yield Fault(f"{at}.{name}", f"is needed with {with_}")
        elif value and not value.strip():  # That it is empty is told by the message's own rules.
            yield Fault(f"{at}.{name}", "must not be blank")


def _row_rules(at: str, rows: Sequence[Any]) -> Iterator[Fault]:
    if not rows:
        yield Fault(at, "must not be empty")
    elif not (all(isinstance(row, dict) for row in rows) or all(isinstance(row, list) for row in rows)):
        yield Fault(at, "must be objects, or arrays whose first is the header")
    elif not _finite(rows):
        yield Fault(at, "must not contain numbers that are not finite")


def _url_rules(at: str, url: str | None, catalogue: Catalogue, instead: str) -> Iterator[Fault]:
    if url is not None and not catalogue.urls:
        yield Fault(f"{at}.url", f"fetching from the web is not enabled here: send {instead}, or a document_id")
