"""Internal identity by service accounts' tokens: files in, keys over HTTPS."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer

from kit.auth.internal import InternalSigner, InternalVerifier
from kit.auth.keys import KeySource, create_key, write_jwks
from kit.auth.projected import ProjectedTokens, ServiceAccountVerifier
from kit.auth.tokens import TokenRules, TokenVerifier
from kit.errors import Unauthorized, Unavailable
from kit.times import MINUTE, SECOND, ManualClock
from tests.support.cluster import ISSUER, SUBJECTS, Cluster


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest_asyncio.fixture
async def cluster(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Cluster]:
    async with Cluster(tmp_path, clock) as made:
        yield made


def keys_of(cluster: Cluster, clock: ManualClock) -> KeySource:
    return KeySource(cluster.url, clock, ca=cluster.ca, token_file=str(cluster.reader))


def verifier_of(cluster: Cluster, clock: ManualClock, service: str = "billing") -> ServiceAccountVerifier:
    return ServiceAccountVerifier(keys_of(cluster, clock), service, clock, issuer=ISSUER, subjects=SUBJECTS)


async def test_a_service_account_speaks_for_the_service_of_its_name(cluster: Cluster, clock: ManualClock) -> None:
    assert await verifier_of(cluster, clock).caller(cluster.token("session", "billing")) == "session"
    assert cluster.asked == ["Bearer may-read"]


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": ["library"]},
        {"aud": ["billing", "library"]},
        {"iss": "https://elsewhere"},
        {"sub": "system:serviceaccount:other:session"},
        {"sub": "system:serviceaccount:prsm:"},
        {"sub": "system:serviceaccount:prsm:a:session"},
        {"sub": "session"},
        {"exp": 1},
        {"nbf": 9_999_999_999},
    ],
)
async def test_tokens_of_the_cluster_that_mean_something_else(
    cluster: Cluster, clock: ManualClock, claims: dict[str, Any]
) -> None:
    with pytest.raises(Unauthorized):
        await verifier_of(cluster, clock).caller(cluster.token("session", "billing", **claims))


async def test_a_forged_token_is_refused(cluster: Cluster, clock: ManualClock) -> None:
    head, body, signature = cluster.token("worker", "billing").split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    claims["sub"] = SUBJECTS + "session"
    forged = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    with pytest.raises(Unauthorized):
        await verifier_of(cluster, clock).caller(f"{head}.{forged}.{signature}")


async def test_users_and_services_tokens_do_not_open_each_others_doors(
    cluster: Cluster, clock: ManualClock, tmp_path: Path
) -> None:
    # Even if users' tokens came from the same issuer, and for an audience of a service's name.
    rules = TokenRules(issuer=ISSUER, audience="billing", algorithms=("RS256",))
    users = TokenVerifier(keys_of(cluster, clock), rules, clock)
    with pytest.raises(Unauthorized):
        await users.verify(cluster.token("session", "billing"))
    with pytest.raises(Unauthorized):
        await verifier_of(cluster, clock).caller(cluster.token("session", "billing", sub="alice"))
    # Nor do tokens of the two kinds of internal identity stand in for each other.
    own = create_key(tmp_path / "session.json", "session")
    write_jwks(tmp_path / "jwks.json", [own])
    with pytest.raises(Unauthorized):
        await verifier_of(cluster, clock).caller(InternalSigner(own, "session", clock).token("billing"))
    internal = InternalVerifier(KeySource(str(tmp_path / "jwks.json"), clock), "billing", clock)
    with pytest.raises(Unauthorized):
        await internal.caller(cluster.token("session", "billing"))


async def test_new_signing_keys_are_found_and_old_ones_kept_while_the_issuer_is_away(
    cluster: Cluster, clock: ManualClock
) -> None:
    verifier = verifier_of(cluster, clock)
    assert await verifier.caller(cluster.token("session", "billing")) == "session"
    cluster.rotate("second")
    cluster.status = 500
    clock.advance(seconds=60)
    with pytest.raises(Unauthorized):
        await verifier.caller(cluster.token("session", "billing"))
    cluster.status = 200
    clock.advance(seconds=60)
    assert await verifier.caller(cluster.token("worker", "billing")) == "worker"
    cluster.status = 500
    clock.advance(seconds=3600)
    assert await verifier.caller(cluster.token("worker", "billing")) == "worker"


async def test_the_token_that_reads_the_keys_is_read_anew_and_the_authority_is_checked(
    cluster: Cluster, clock: ManualClock
) -> None:
    keys = keys_of(cluster, clock)
    await keys.keys(None)
    cluster.reader.write_text("may-read-too")
    clock.advance(seconds=MINUTE * 6 / SECOND)
    await keys.keys(None)
    assert cluster.asked == ["Bearer may-read", "Bearer may-read-too"]
    with pytest.raises(Unavailable):
        await KeySource(cluster.url, clock, token_file=str(cluster.reader)).keys(None)
    with pytest.raises(Unavailable):
        await KeySource(cluster.url, clock, ca=cluster.ca).keys(None)


async def test_the_token_that_reads_the_keys_is_not_told_when_it_is_refused(
    cluster: Cluster, clock: ManualClock
) -> None:
    cluster.reader.write_text("a-secret-that-is-not-accepted")
    with pytest.raises(Unavailable) as refused:
        await keys_of(cluster, clock).keys(None)
    assert cluster.asked == ["Bearer a-secret-that-is-not-accepted"]
    assert repr(refused.value.__cause__) == "ValueError('status 401')"


async def test_keys_are_read_whole_up_to_a_size_and_from_the_place_that_was_named(
    tmp_path: Path, clock: ManualClock
) -> None:
    key = create_key(tmp_path / "key", "session")
    write_jwks(tmp_path / "jwks.json", [key])
    jwks = (tmp_path / "jwks.json").read_bytes()

    async def long(_: web.Request) -> web.Response:
        # More than a socket gives at a time.
        return web.Response(body=b" " * 1_000_000 + jwks)

    async def too_long(_: web.Request) -> web.Response:
        return web.Response(body=b" " * 1_048_577 + jwks)

    async def elsewhere(_: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": "/long"})

    app = web.Application()
    app.add_routes([web.get("/long", long), web.get("/too-long", too_long), web.get("/elsewhere", elsewhere)])
    async with TestServer(app) as server:
        keys = await KeySource(str(server.make_url("/long")), clock).keys("session")
        assert [each.kid for each in keys.keys] == ["session"]
        for path, issue in (("/too-long", "longer than 1048576 bytes"), ("/elsewhere", "status 302")):
            with pytest.raises(Unavailable) as refused:
                await KeySource(str(server.make_url(path)), clock).keys(None)
            assert str(refused.value.__cause__) == issue


async def test_a_token_is_read_from_the_file_of_its_audience_and_again_when_it_is_replaced(
    cluster: Cluster, clock: ManualClock, tmp_path: Path
) -> None:
    directory = tmp_path / "tokens"
    cluster.project(directory, "session", "billing", ttl=600)
    tokens = ProjectedTokens(directory, clock)
    first = tokens.token("billing")
    assert await verifier_of(cluster, clock).caller(first) == "session"
    clock.advance(seconds=480)
    cluster.project(directory, "session", "billing", ttl=600)
    second = tokens.token("billing")
    assert second != first
    clock.advance(seconds=300)
    assert tokens.token("billing") == second


def test_a_file_that_is_away_leaves_the_token_at_hand_until_that_ends(
    cluster: Cluster, clock: ManualClock, tmp_path: Path
) -> None:
    directory = tmp_path / "tokens"
    path = cluster.project(directory, "session", "billing", ttl=600)
    tokens = ProjectedTokens(directory, clock)
    first = tokens.token("billing")
    path.unlink()
    clock.advance(seconds=300)
    assert tokens.token("billing") == first
    clock.advance(seconds=300)
    with pytest.raises(Unavailable) as refused:
        tokens.token("billing")
    assert str(path) in str(refused.value.__cause__)
    assert str(directory) not in str(refused.value)


@pytest.mark.parametrize("content", ["", "a.b.c", "no token", "e30.e30.e30", "e30.W10.e30"])
def test_a_file_that_holds_no_token_is_named(clock: ManualClock, tmp_path: Path, content: str) -> None:
    (tmp_path / "billing").write_text(content)
    with pytest.raises(Unavailable) as refused:
        ProjectedTokens(tmp_path, clock).token("billing")
    assert str(tmp_path / "billing") in str(refused.value.__cause__)


def test_a_token_that_has_ended_is_not_sent(cluster: Cluster, clock: ManualClock, tmp_path: Path) -> None:
    cluster.project(tmp_path / "tokens", "session", "billing", ttl=60)
    clock.advance(seconds=61)
    with pytest.raises(Unavailable) as refused:
        ProjectedTokens(tmp_path / "tokens", clock).token("billing")
    assert "has ended" in str(refused.value.__cause__)
