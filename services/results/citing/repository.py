"""Users' own citation styles in SQL."""

from __future__ import annotations

from typing import Any, cast

from sqlalchemy import ColumnElement, Connection, and_, delete, func, select, update

from kit.db.upsert import insert_for
from services.results.citing.domain import CitationStyle, Source
from services.results.rendering.citing.styles import Kind
from services.results.tables import citation_styles

_s = citation_styles.c
_INSTALLATION = ""
"""The owner of the copies of installed styles that sessions use."""


class SqlStyles:
    """Behind `ports.Styles`. A style that a session uses is never removed, only taken out of its owner's list."""

    def insert(self, conn: Connection, owner: str, style: CitationStyle) -> None:
        conn.execute(
            citation_styles.insert().values(
                style_id=style.style_id,
                owner=owner,
                title=style.title,
                kind=style.kind,
                csl=style.csl,
                created_at=style.created_at,
                used=False,
                deleted=False,
            )
        )

    def count(self, conn: Connection, owner: str) -> tuple[int, int]:
        """How many the owner's list has, and how many are kept with those that sessions use."""
        counts = dict.fromkeys((False, True), 0)
        rows = conn.execute(select(_s.deleted, func.count()).where(_s.owner == owner).group_by(_s.deleted))
        counts.update((bool(deleted), int(count)) for deleted, count in rows)
        return counts[False], counts[False] + counts[True]

    def list(self, conn: Connection, owner: str) -> list[CitationStyle]:
        """Without their sources, oldest first."""
        columns = (_s.style_id, _s.title, _s.kind, _s.created_at)
        rows = conn.execute(
            select(*columns).where(_s.owner == owner, _s.deleted.is_(False)).order_by(_s.created_at, _s.style_id)
        )
        return [_style(row, None) for row in rows]

    def find(self, conn: Connection, owner: str, style_id: str) -> CitationStyle | None:
        row = conn.execute(select(citation_styles).where(_mine(owner, style_id))).one_or_none()
        return None if row is None else _style(row, row.csl)

    def use(self, conn: Connection, owner: str, style_id: str) -> bool:
        """Remember that a session uses it. False if the owner has no such style."""
        done = conn.execute(update(citation_styles).where(_mine(owner, style_id)).values(used=True))
        return done.rowcount == 1

    def keep(self, conn: Connection, style: CitationStyle, now: int) -> None:
        """A copy of an installed style, for the sessions that use it when it is there no more."""
        values = {"title": style.title, "kind": style.kind, "csl": style.csl}
        statement = insert_for(conn, citation_styles).values(
            style_id=style.style_id, owner=_INSTALLATION, created_at=now, used=True, deleted=False, **values
        )
        conn.execute(statement.on_conflict_do_update(index_elements=["style_id"], set_=values))

    def source(self, conn: Connection, style_id: str) -> str | None:
        """The CSL of a style whoever it belongs to, also when it is deleted: for sessions that use it."""
        found: str | None = conn.execute(select(_s.csl).where(_s.style_id == style_id)).scalar_one_or_none()
        return found

    def delete(self, conn: Connection, owner: str, style_id: str) -> bool:
        """False if the owner has no such style."""
        removed = conn.execute(delete(citation_styles).where(_mine(owner, style_id), _s.used.is_(False))).rowcount
        hidden = conn.execute(update(citation_styles).where(_mine(owner, style_id)).values(deleted=True)).rowcount
        return removed + hidden == 1


def _mine(owner: str, style_id: str) -> ColumnElement[bool]:
    return and_(_s.style_id == style_id, _s.owner == owner, _s.deleted.is_(False))


def _style(row: Any, csl: str | None) -> CitationStyle:
    return CitationStyle(row.style_id, row.title, cast("Kind", row.kind), Source.OWN, csl, row.created_at)
