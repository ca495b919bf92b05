"""Shares on SQL."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, func, insert, or_, select, update

from kit.paging import Page
from services.collab.domain import PERMISSIONS, Entry, Share
from services.collab.tables import share_recipients, shares

_r, _s = share_recipients.c, shares.c
# Asked for every request of who is no owner: built once.
_ENTRIES = (
    select(_r.session_id, _r.principal, _s.permissions, _s.expires_at, _s.revoked_at)
    .join_from(share_recipients, shares, _s.share_id == _r.share_id)
    .where(
        _r.principal.in_(bindparam("p_principals", expanding=True)),
        _r.session_id.in_(bindparam("p_sessions", expanding=True)),
    )
)


class SqlShares:
    """Behind `ports.Shares`."""

    def add(self, conn: Connection, share: Share, principals: Sequence[str], token_hash: str) -> None:
        conn.execute(
            insert(shares).values(
                share_id=share.share_id,
                session_id=share.session_id,
                shared_by=share.shared_by,
                recipients=json.dumps(share.recipients, ensure_ascii=False),
                permissions=share.permissions,
                message=share.message,
                token_hash=token_hash,
                created_at=share.created_at,
                expires_at=share.expires_at,
                revoked_at=share.revoked_at,
                version=share.version,
            )
        )
        rows = [
            {"principal": principal, "session_id": share.session_id, "share_id": share.share_id}
            for principal in principals
        ]
        conn.execute(insert(share_recipients), rows)

    def get(self, conn: Connection, session_id: str, share_id: str) -> Share | None:
        found = select(shares).where(shares.c.share_id == share_id, shares.c.session_id == session_id)
        row = conn.execute(found).one_or_none()
        return _share(row) if row else None

    def by_token(self, conn: Connection, token_hash: str) -> tuple[Share, frozenset[str]] | None:
        row = conn.execute(select(shares).where(shares.c.token_hash == token_hash)).one_or_none()
        if row is None:
            return None
        named = select(share_recipients.c.principal).where(share_recipients.c.share_id == row.share_id)
        return _share(row), frozenset(conn.execute(named).scalars())

    def revoke(self, conn: Connection, share_id: str, now: int) -> Share | None:
        row = conn.execute(
            update(shares)
            .where(shares.c.share_id == share_id, shares.c.revoked_at.is_(None))
            .values(revoked_at=now, version=shares.c.version + 1)
            .returning(shares)
        ).one_or_none()
        return _share(row) if row else None

    def page(self, conn: Connection, session_id: str, page: Page, shared_by: str | None) -> tuple[list[Share], int]:
        s = shares.c
        matching = [s.session_id == session_id]
        if shared_by is not None:
            matching.append(s.shared_by == shared_by)
        total = conn.execute(select(func.count()).select_from(shares).where(*matching)).scalar_one()
        listed = select(shares).where(*matching)
        if page.after is not None:
            listed = listed.where(
                or_(
                    s.created_at < page.after.created_at,
                    and_(s.created_at == page.after.created_at, s.share_id < page.after.id),
                )
            )
        listed = listed.order_by(s.created_at.desc(), s.share_id.desc()).limit(page.limit).offset(page.offset)
        return [_share(row) for row in conn.execute(listed)], total

    def entries(
        self, conn: Connection, session_ids: Sequence[str], principals: Sequence[str]
    ) -> dict[tuple[str, str], list[Entry]]:
        rows = conn.execute(_ENTRIES, {"p_principals": principals, "p_sessions": session_ids})
        found: dict[tuple[str, str], list[Entry]] = {}
        for row in rows:
            entry = Entry(PERMISSIONS[row.permissions], row.expires_at, row.revoked_at is not None)
            found.setdefault((row.session_id, row.principal), []).append(entry)
        return found

    def sessions_of(self, conn: Connection, principals: Sequence[str], now: int, limit: int) -> list[str]:
        r, s = share_recipients.c, shares.c
        rows = conn.execute(
            select(r.session_id)
            .join_from(share_recipients, shares, s.share_id == r.share_id)
            .where(r.principal.in_(principals), s.revoked_at.is_(None), s.expires_at > now)
            .group_by(r.session_id)
            .order_by(func.max(s.created_at).desc(), r.session_id.desc())
            .limit(limit)
        )
        return list(rows.scalars())


def _share(row: Row[Any]) -> Share:
    return Share(
        share_id=row.share_id,
        session_id=row.session_id,
        shared_by=row.shared_by,
        recipients=tuple(json.loads(row.recipients)),
        permissions=row.permissions,
        message=row.message,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        version=row.version,
    )
