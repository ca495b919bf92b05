"""PrepareInputs: a new session's documents and datasets are checked, and what is given inline is stored."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import Connection

from kit.db.database import Database
from kit.errors import ValidationError
from kit.times import Clock
from services.library.addressed import Addressed, FetchLimits
from services.library.domain import Document
from services.library.holdings import Held, Inputs, LibraryState, Prepared, PreparedInput, Reference
from services.library.ports import Contents, Documents, Fetching, Parser, Uses
from services.library.resolving import Resolved, Resolver, addresses, fetched_before, url_field


class PrepareInputs:
    def __init__(
        self,
        db: Database,
        documents: Documents,
        uses: Uses,
        contents: Contents,
        parser: Parser,
        clock: Clock,
        *,
        fetching: Fetching | None = None,
        limits: FetchLimits | None = None,
    ) -> None:
        """Without `fetching`, addresses are faults."""
        self._db = db
        self._documents = documents
        self._uses = uses
        self._contents = contents
        self._parser = parser
        self._clock = clock
        self._fetching = fetching
        self._limits = limits or FetchLimits()

    async def __call__(self, inputs: Inputs) -> Prepared:
        """Idempotent by session: what was stored for it before is not fetched again. The answer names every fault;
        nothing is stored when there is one. What an address holds is fetched for a dry run too: only then is known
        whether it can be used, and how much there is to read.

        Raises ValidationError for a session whose inputs were discarded.
        """
        known, linked, fetched, state = await self._db.read(lambda conn: self._look_up(conn, inputs))
        wanted = {
            url_field(role, number): url
            for role, number, url in addresses(inputs)
            if fetched_before(inputs, fetched, role, number, url) is None
        }
        async with Addressed(wanted, self._fetching, self._parser, self._limits) as addressed:
            resolver = Resolver(inputs, known, linked, fetched, self._parser, addressed, self._clock.now())
            documents = [await resolver.document(number, source) for number, source in enumerate(inputs.documents)]
            datasets = [await resolver.dataset(number, source) for number, source in enumerate(inputs.datasets)]
        if resolver.faults:
            return Prepared(faults=resolver.faults)
        resolved = [each for each in (*documents, *datasets) if each is not None]
        if resolved and not inputs.dry_run:
            await self._store(inputs, resolved)
        return Prepared(
            documents=_prepared(documents, stored=not inputs.dry_run),
            datasets=_prepared(datasets, stored=not inputs.dry_run),
            library_documents=state.usable if inputs.use_library else 0,
            library_characters=state.characters if inputs.use_library else 0,
        )

    def _look_up(
        self, conn: Connection, inputs: Inputs
    ) -> tuple[dict[str, Held], set[str], list[Document], LibraryState]:
        named = [each.document_id for each in (*inputs.documents, *inputs.datasets) if isinstance(each, Reference)]
        return (
            self._documents.find_many(conn, named),
            # What is linked matters only for documents that are named.
            self._uses.linked(conn, inputs.session_id) if named else set(),
            self._documents.fetched(conn, inputs.session_id) if addresses(inputs) else [],
            self._documents.state(conn, inputs.owner),
        )

    async def _store(self, inputs: Inputs, resolved: Sequence[Resolved]) -> None:
        inline = [(each.arrival, each.raw) for each in resolved if each.arrival is not None]
        for arrival, raw in inline:
            await self._contents.keep(arrival.document, arrival.text, raw)

        def store(conn: Connection) -> bool:
            if not self._uses.prepare(conn, inputs.session_id, inputs.owner):
                return False
            self._documents.store_for_session(conn, [arrival for arrival, _ in inline])
            used = [each.document.document_id for each in resolved]
            self._uses.link(conn, inputs.session_id, inputs.owner, used)
            return True

        if not await self._db.write(store):
            for arrival, _ in inline:
                await self._contents.forget(arrival.document)
            raise ValidationError.of("session_id", "its inputs were discarded")


def _prepared(entries: Collection[Resolved | None], *, stored: bool) -> list[PreparedInput]:
    return [
        PreparedInput(
            document_id=each.document.document_id if stored or each.arrival is None else "",
            title=each.document.title,
            kind=each.document.kind,
            characters=each.document.characters,
            size=each.document.source.size,
        )
        for each in entries
        if each is not None
    ]
