"""Idempotency keys: one share, one comment, and the same answer, URL and all."""

from __future__ import annotations

import asyncio

import pytest

from kit.errors import PrsmError
from kit.times import SECOND, rfc3339
from prsm.collab.v1 import collab_pb2
from tests.integration.collab.stand import Stand, token_of


async def test_repeated_share_is_the_first_one(stand: Stand) -> None:
    first = await stand.share(["bob"], key="k1")
    stand.clock.advance(seconds=100)
    again = await stand.share(["bob"], key="k1")
    assert again == first
    assert (await stand.open(token_of(again), "bob")).share_id == first.share_id
    assert (await stand.shares()).total_count == 1


async def test_repeated_share_outlives_its_own_expiration(stand: Stand) -> None:
    moment = rfc3339(stand.clock.now() + SECOND)
    first = await stand.share(["bob"], expiration=moment, key="k1")
    stand.clock.advance(seconds=100)
    assert await stand.share(["bob"], expiration=moment, key="k1") == first


async def test_key_with_another_request(stand: Stand) -> None:
    await stand.share(["bob"], key="k1")
    with pytest.raises(PrsmError) as caught:
        await stand.share(["carol"], key="k1")
    assert caught.value.name == "IDEMPOTENCY_KEY_REUSED"
    assert (await stand.shares()).total_count == 1


async def test_refused_share_leaves_the_key_free(stand: Stand) -> None:
    with pytest.raises(PrsmError):
        await stand.share(["olga"], key="k1")
    assert list((await stand.share(["bob"], key="k1")).recipients) == ["bob"]


async def test_keys_are_the_principals_own(stand: Stand) -> None:
    await stand.share(["bob"], "collaborate", key="k1")
    await stand.share(["carol"], by="bob", key="k1")
    assert (await stand.shares()).total_count == 2


async def test_shares_at_once_with_one_key_are_one(stand: Stand) -> None:
    answers = await asyncio.gather(*(stand.share(["bob"], key="k1") for _ in range(6)))
    assert len({answer.share_url for answer in answers}) == 1
    assert (await stand.shares()).total_count == 1
    assert len(await stand.events()) == 1


async def test_comments_at_once_with_one_key_are_one(stand: Stand) -> None:
    answers = await asyncio.gather(*(stand.comment("Once", key="k1") for _ in range(6)))
    assert len({answer.comment_id for answer in answers}) == 1
    assert (await stand.comments()).total_count == 1
    with pytest.raises(PrsmError) as caught:
        await stand.comment("Twice", key="k1")
    assert caught.value.name == "IDEMPOTENCY_KEY_REUSED"


async def test_success_is_created_somewhere(stand: Stand) -> None:
    """Both answers that make something carry 201 and a Location for the edges, also when they are repeated."""
    metadata = (*stand.identities.user_metadata("olga"), ("idempotency-key", "k1"))
    base = f"/api/v1/sessions/{stand.session_id}"
    share = collab_pb2.ShareSessionRequest(session_id=stand.session_id, recipients=["bob"], permissions="view")
    comment = collab_pb2.AddCommentRequest(session_id=stand.session_id, content="Well said")
    for _ in range(2):
        sharing = stand.collab.ShareSession(share, metadata=metadata, timeout=60)
        shared = await sharing
        headers = dict(await sharing.initial_metadata())
        assert headers["x-prsm-http-status"] == "201"
        assert headers["location"] == f"{base}/shares/{shared.share_id}"
        commenting = stand.collab.AddComment(comment, metadata=metadata, timeout=60)
        commented = await commenting
        headers = dict(await commenting.initial_metadata())
        assert headers["x-prsm-http-status"] == "201"
        assert headers["location"] == f"{base}/comments/{commented.comment_id}"
