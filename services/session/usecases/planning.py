"""What creating and estimating a session have in common: its sources, its workload, how long it will take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from kit.access import Standing
from kit.auth.principal import Principal
from kit.citation_styles import BUILT_IN_STYLES
from kit.db.database import Database
from kit.errors import Fault, ValidationError
from kit.ids import is_uuid
from kit.levels import Level
from kit.times import MINUTE
from services.session.domain import JsonObject, Session, SessionType, Status
from services.session.drafts import NO_CONNECTOR, Drafted
from services.session.ports import Collab, Durations, Library, Prepared, Sessions, Styles, Workload

_WORKS = 400
"""Works of one connector at most: four questions, each answered with a hundred."""


@dataclass(frozen=True, slots=True)
class Sources:
    """What a session will work on."""

    prepared: Prepared
    sessions: tuple[Session, ...]

    def references(self) -> JsonObject:
        """As they are stored with the session and shown to its readers."""
        return {
            "documents": [{"document_id": d.document_id, "title": d.title} for d in self.prepared.documents],
            "datasets": [{"document_id": d.document_id, "name": d.title} for d in self.prepared.datasets],
            "sessions": [session.session_id for session in self.sessions],
            "results": [f"{s.session_id}:{s.result_epoch}:{s.result_hash}" for s in self.sessions],
        }


def preferences(draft: Drafted, sources: Sources) -> JsonObject:
    """What was asked for, with the connectors that the session asks: it stays the same whatever is enabled later."""
    chosen = sources.prepared.connectors
    return {**draft.preferences, "connectors": list(chosen)} if chosen else draft.preferences


class Planner:
    """See the module."""

    def __init__(
        self,
        db: Database,
        sessions: Sessions,
        library: Library,
        collab: Collab,
        styles: Styles,
        durations: Durations,
        default: int,
    ) -> None:
        """`default` is the expected running time where nothing was learnt yet."""
        self._db = db
        self._sessions = sessions
        self._library = library
        self._collab = collab
        self._styles = styles
        self._durations = durations
        self._default = default

    async def input_sessions(self, principal: Principal, session_ids: Sequence[str]) -> tuple[Session, ...]:
        """Raises ValidationError naming each that is not completed, or not the caller's to see: unknown and foreign
        ones alike."""
        if not session_ids:
            return ()
        known = await self._db.read(
            lambda db: [self._sessions.get(db, id_) if is_uuid(id_) else None for id_ in session_ids]
        )
        asked = [(n, id_) for n, id_ in enumerate(session_ids) if not _owned(known[n], principal) and is_uuid(id_)]
        shared = await self._collab.check_many([(id_, principal) for _, id_ in asked]) if asked else []
        visible = {
            number
            for (number, _), answer in zip(asked, shared, strict=True)
            if answer.standing is Standing.CURRENT and answer.level >= Level.VIEW
        }
        faults: list[Fault] = []
        found: list[Session] = []
        for number, session in enumerate(known):
            where = f"inputs.sessions[{number}]"
            if session is None or not (_owned(session, principal) or number in visible):
                faults.append(Fault(where, "is not a session that you may view"))
            elif session.status is not Status.COMPLETED:
                faults.append(Fault(where, f"is {session.status.value}: only completed sessions can be used"))
            else:
                found.append(session)
        if faults:
            raise ValidationError(faults)
        return tuple(found)

    async def citation_style(self, owner: str, draft: Drafted, *, dry_run: bool) -> None:
        """Raises ValidationError for a style that the owner cannot use, Unavailable, DeadlineExceeded."""
        style = str(draft.preferences.get("citation_style", ""))
        if not style or style in BUILT_IN_STYLES:
            return
        if issue := await self._styles.use(owner, style, dry_run=dry_run):
            raise ValidationError.of("preferences.citation_style", issue)

    async def known(self, session_ids: Sequence[str]) -> tuple[Session, ...]:
        """Sessions that were accepted as inputs before."""
        found = await self._db.read(lambda db: [self._sessions.get(db, id_) for id_ in session_ids])
        return tuple(session for session in found if session is not None)

    async def prepare(self, session_id: str, owner: str, draft: Drafted, *, dry_run: bool) -> Prepared:
        """Have the library check and store the inputs. Raises ValidationError for what cannot be used."""
        if not draft.uses_inputs:
            return Prepared()
        prepared = await self._library.prepare(session_id, owner, draft, dry_run=dry_run)
        faults = [*prepared.faults, *_connector_faults(draft, prepared.connectors)]
        connectors = _chosen(draft, prepared.connectors)
        sources = len(prepared.documents) + len(prepared.datasets) + prepared.library_documents + len(connectors)
        if not faults and draft.session_type is SessionType.RESEARCH and not sources:
            issue = "research needs a source: add documents or datasets here, or upload documents to your library"
            faults.append(Fault("inputs", issue))
        if faults:
            raise ValidationError(faults)
        return replace(prepared, connectors=connectors)

    async def minutes(self, draft: Drafted) -> int:
        """The expected duration in whole minutes, at least 1."""
        learnt = await self._db.read(lambda db: self._durations.mean(db, draft.session_type.value, draft.depth))
        return max(1, -(-(learnt or self._default) // MINUTE))


def _owned(session: Session | None, principal: Principal) -> bool:
    return session is not None and session.owner == principal.user_id


def _connector_faults(draft: Drafted, enabled: Sequence[str]) -> list[Fault]:
    named = draft.preferences.get("connectors", ())
    issue = f"is not enabled here; enabled: {', '.join(enabled) or NO_CONNECTOR}"
    return [
        Fault(f"preferences.connectors[{number}]", issue)
        for number, name in enumerate(named)
        if name not in enabled and name != NO_CONNECTOR
    ]


def _chosen(draft: Drafted, enabled: Sequence[str]) -> tuple[str, ...]:
    """The connectors that a session asks: those that it names; all that are enabled where it leaves that open, unless
    it names the documents to work on."""
    if draft.session_type is not SessionType.RESEARCH:
        return ()
    if draft.connectors is not None:
        return draft.connectors
    return tuple(enabled) if draft.uses_library else ()


def workload(draft: Drafted, sources: Sources) -> Workload:
    prepared = sources.prepared
    listed = draft.uses_library
    return Workload(
        session_type=draft.session_type.value,
        depth=draft.depth,
        documents=(prepared.library_documents if listed else len(prepared.documents))
        + _WORKS * len(prepared.connectors),
        characters=prepared.library_characters if listed else sum(d.characters for d in prepared.documents),
        datasets=len(prepared.datasets),
        dataset_bytes=sum(d.bytes for d in prepared.datasets),
        sessions=len(sources.sessions),
        max_documents=draft.max_documents,
        model=draft.model,
    )
