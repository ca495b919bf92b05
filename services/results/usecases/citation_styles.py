"""Users' own citation styles: stored, listed, shown, deleted, used by a session; and which one a document is set in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

from sqlalchemy import Connection

from kit.auth.principal import Principal
from kit.db.database import Database
from kit.errors import Forbidden, ValidationError
from kit.ids import Ids, is_uuid
from kit.languages import language_fault
from kit.times import Clock
from services.results.citing.domain import Chosen, CitationStyle, Source
from services.results.citing.trial import StyleRefused, StyleTrial
from services.results.errors import CitationStyleNotFound
from services.results.ports import Pointer, Styles
from services.results.rendering.citing.styles import (
    BUILT_IN,
    DEFAULT,
    DependentStyle,
    InvalidStyle,
    built_in_parent,
    inspect,
)
from services.results.rendering.plain_text import one_line, shorten
from services.results.rendering.protocol import NO_DOCUMENT, RenderRequest
from services.results.rendering.rendition import Format

Record = Callable[[Connection, CitationStyle], None]
_KEPT = 10
"""Times the styles in an owner's list that are kept with those that are deleted and in use."""
_TOLD = 48
"""Characters of a name that nobody knows are told."""


class CitationStyles:
    """What there is: styles of the product, of the installation, and of each user."""

    def __init__(
        self,
        db: Database,
        styles: Styles,
        installed: Mapping[str, CitationStyle],
        trial: StyleTrial,
        clock: Clock,
        ids: Ids,
        *,
        most: int,
    ) -> None:
        """`most` is how many an owner may have."""
        self._db = db
        self._styles = styles
        self._installed = installed
        self._trial = trial
        self._clock = clock
        self._ids = ids
        self._most = most
        self._tried: set[str] = set()

    async def create(self, owner: str, name: str, csl: str, record: Record) -> CitationStyle:
        """Raises ValidationError, Unavailable, DeadlineExceeded."""
        try:
            info = inspect(csl.encode())
        except DependentStyle as error:
            known = built_in_parent(error.parent)
            instead = f"{error}. It comes with PRSM, as {known}" if known else str(error)
            raise ValidationError.of("csl", instead) from error
        except (InvalidStyle, UnicodeEncodeError) as error:
            raise ValidationError.of("csl", str(error)) from error
        # Before the trial, which costs more; and once more when it is stored.
        await self._db.read(lambda conn: self._check_room(conn, owner))
        try:
            await self._trial(csl)
        except StyleRefused as error:
            raise ValidationError.of("csl", str(error)) from error
        title = one_line(name) or info.title
        now = self._clock.now()
        style = CitationStyle(self._ids.new(), title, info.kind, Source.OWN, csl, created_at=now)

        def work(conn: Connection) -> None:
            self._check_room(conn, owner)
            self._styles.insert(conn, owner, style)
            record(conn, style)

        await self._db.write(work)
        return style

    async def list(self, owner: str) -> list[CitationStyle]:
        """Built-in ones, installed ones, own ones; without sources."""
        own = await self._db.read(lambda conn: self._styles.list(conn, owner))
        return [*map(_built_in, BUILT_IN), *self._installed.values(), *own]

    async def get(self, owner: str, style_id: str) -> CitationStyle:
        """Raises CitationStyleNotFound."""
        found = await self._find(owner, style_id)
        if found is None:
            raise CitationStyleNotFound()
        return found

    async def delete(self, owner: str, style_id: str) -> None:
        """Raises CitationStyleNotFound, Forbidden for what is nobody's own."""
        if style_id in BUILT_IN or style_id in self._installed:
            raise Forbidden(f"{style_id} is not one of your own styles: only those can be deleted")
        deleted = is_uuid(style_id) and await self._db.write(lambda conn: self._styles.delete(conn, owner, style_id))
        if not deleted:
            raise CitationStyleNotFound()

    async def use(self, owner: str, style: str, *, dry_run: bool) -> str:
        """Why an owner's session cannot use a style, "" if it can; then the style is kept for it. Raises Unavailable,
        DeadlineExceeded."""
        if style in BUILT_IN:
            return ""
        installed = self._installed.get(style)
        if installed is not None:
            return await self._use_installed(installed, dry_run=dry_run)
        if not is_uuid(style):
            return self._unknown(style)
        if dry_run:
            found = await self._db.read(lambda conn: self._styles.find(conn, owner, style)) is not None
        else:
            found = await self._db.write(lambda conn: self._styles.use(conn, owner, style))
        return "" if found else self._unknown(style)

    async def choose(self, principal: Principal, pointer: Pointer, wanted: str) -> Chosen:
        """The style of a document: the session's own, or another that the caller may use. Raises ValidationError."""
        if not wanted or wanted == pointer.citation_style:
            return await self._of_session(pointer.citation_style)
        found = await self._find(principal.user_id, wanted)
        if found is None:
            raise ValidationError.of("citation_style", self._unknown(wanted))
        return Chosen(found.style_id, found.csl)

    async def _of_session(self, name: str) -> Chosen:
        """It was the owner's to choose when the session was created; who may view the session sees it in its style."""
        if name in BUILT_IN:
            return Chosen(name)
        installed = self._installed.get(name)
        if installed is not None:
            return Chosen(name, installed.csl)
        csl = await self._db.read(lambda conn: self._styles.source(conn, name))
        # A session of before styles were checked may name anything.
        return Chosen(DEFAULT) if csl is None else Chosen(name, csl)

    async def _find(self, owner: str, style_id: str) -> CitationStyle | None:
        if style_id in BUILT_IN:
            return _built_in(style_id)
        if style_id in self._installed:
            return self._installed[style_id]
        if not is_uuid(style_id):
            return None
        return await self._db.read(lambda conn: self._styles.find(conn, owner, style_id))

    async def _use_installed(self, style: CitationStyle, *, dry_run: bool) -> str:
        if style.style_id not in self._tried:
            try:
                await self._trial(style.csl or "")
            except StyleRefused as error:
                return f"is installed here, but cannot be used: {error}"
            self._tried.add(style.style_id)
        if not dry_run:
            now = self._clock.now()
            await self._db.write(lambda conn: self._styles.keep(conn, style, now))
        return ""

    def _unknown(self, style: str) -> str:
        """What is said of a name that is no style's, or not one that the caller may use."""
        written = style.lower()
        if written != style and (written in BUILT_IN or written in self._installed):
            return f"is no citation style: write it in lower case, {written}"
        told = one_line(shorten(style, _TOLD))
        named = ", ".join(BUILT_IN)
        return f'"{told}" is no citation style that you may use: GET /citation-styles lists them, {named} among them'

    def _check_room(self, conn: Connection, owner: str) -> None:
        listed, kept = self._styles.count(conn, owner)
        if listed >= self._most:
            raise ValidationError.of("csl", f"you have {listed} styles already, which is the limit: delete one first")
        if kept >= _KEPT * self._most:
            raise ValidationError.of("csl", "your sessions use as many styles as are kept: use one of those you have")


async def order_of_style(
    styles: CitationStyles, principal: Principal, pointer: Pointer, format: str, citation_style: str, language: str
) -> RenderRequest:
    """What is asked of a document but for its content: format, style and language. Raises ValidationError."""
    style = await styles.choose(principal, pointer, citation_style)
    return RenderRequest(
        format=cast("Format", format),
        document=NO_DOCUMENT,
        session_id=pointer.session_id,
        citation_style=style.name,
        language=chosen_language(pointer, language),
        csl=style.csl,
    )


def chosen_language(pointer: Pointer, wanted: str) -> str:
    """The language of a document: the session's, or another. Raises ValidationError."""
    if wanted and (fault := language_fault(wanted)):
        raise ValidationError.of("language", fault)
    return wanted or pointer.language


def _built_in(name: str) -> CitationStyle:
    style = BUILT_IN[name]
    return CitationStyle(name, style.title, style.kind, Source.BUILT_IN)
