"""Tokens: what opens the door, and everything that must not."""

from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import OKPKey

from kit.auth.grants import Grant, GrantSigner, GrantVerifier
from kit.auth.internal import InternalSigner, InternalVerifier
from kit.auth.keys import KeySource, create_key, load_key, write_jwks
from kit.auth.tokens import TokenRules, TokenVerifier, mint
from kit.errors import Forbidden, Unauthorized, Unavailable
from kit.times import ManualClock

RULES = TokenRules(issuer="prsm-local", audience="prsm")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def key(tmp_path: Path) -> OKPKey:
    made = create_key(tmp_path / "key.json", "local")
    write_jwks(tmp_path / "jwks.json", [made])
    return load_key(tmp_path / "key.json")


@pytest.fixture
def verifier(tmp_path: Path, key: OKPKey, clock: ManualClock) -> TokenVerifier:
    return TokenVerifier(KeySource(str(tmp_path / "jwks.json"), clock), RULES, clock)


def token(key: OKPKey, clock: ManualClock, rules: TokenRules = RULES, typ: str = "at+jwt", **claims: Any) -> str:
    return mint(key, rules, clock, ttl=60, claims={"sub": "alice", **claims}, typ=typ)


async def test_a_good_token_names_its_principal(verifier: TokenVerifier, key: OKPKey, clock: ManualClock) -> None:
    text = token(key, clock, email="Alice@X.org", email_verified=True, name="Alice", teams=["b", "a"], scope="read")
    principal = await verifier.verify(text)
    assert (principal.user_id, principal.email, principal.name) == ("alice", "alice@x.org", "Alice")
    assert principal.teams == ("a", "b")
    assert not principal.may_write
    assert verifier.remembered(text) == principal


async def test_an_unverified_email_counts_for_nothing(verifier: TokenVerifier, key: OKPKey, clock: ManualClock) -> None:
    assert (await verifier.verify(token(key, clock, email="a@x.org"))).email == ""
    assert (await verifier.verify(token(key, clock, email="a@x.org", email_verified="true"))).email == ""


@pytest.mark.parametrize(
    "spoil",
    [
        {"rules": TokenRules(issuer="someone", audience="prsm")},
        {"rules": TokenRules(issuer="prsm-local", audience="other")},
        {"typ": "prsm-internal+jwt"},
        {"sub": ""},
        {"sub": 7},
        {"nbf": 9_999_999_999},
        {"exp": True},
        {"exp": "never"},
    ],
)
async def test_tokens_that_are_signed_well_but_mean_something_else(
    verifier: TokenVerifier, key: OKPKey, clock: ManualClock, spoil: dict[str, Any]
) -> None:
    with pytest.raises(Unauthorized):
        await verifier.verify(token(key, clock, **spoil))


async def test_an_expired_token_is_refused_also_when_it_was_good_before(
    verifier: TokenVerifier, key: OKPKey, clock: ManualClock
) -> None:
    text = token(key, clock)
    await verifier.verify(text)
    clock.advance(seconds=60 + RULES.leeway + 1)
    assert verifier.remembered(text) is None
    with pytest.raises(Unauthorized):
        await verifier.verify(text)


async def test_forgeries(verifier: TokenVerifier, key: OKPKey, clock: ManualClock, tmp_path: Path) -> None:
    other = create_key(tmp_path / "other.json", "local")
    head, body, signature = token(key, clock).split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    claims["sub"] = "mallory"
    forged = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"at+jwt"}').rstrip(b"=").decode()
    hmac = base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"at+jwt","kid":"local"}').rstrip(b"=").decode()
    deep = base64.urlsafe_b64encode(b'{"a":' + b"[" * 11_000).rstrip(b"=").decode()
    critical = base64.urlsafe_b64encode(b'{"alg":"EdDSA","kid":"local","crit":5}').rstrip(b"=").decode()
    for text in (
        token(other, clock),
        f"{head}.{forged}.{signature}",
        f"{none}.{forged}.",
        f"{hmac}.{forged}.{signature}",
        f"{head}.{body}",
        "",
        "a.b.c",
        "ü.ü.ü",
        "x" * 20_000,
        # Headers that a parser or a library stumbles over.
        f"{deep}.{body}.{signature}",
        f"{critical}.{body}.{signature}",
        token(key, clock, exp=float("inf")),
        token(key, clock, exp=float("nan")),
        token(key, clock, sub="a\0"),
    ):
        with pytest.raises(Unauthorized):
            await verifier.verify(text)


async def test_new_keys_are_found_without_a_restart(tmp_path: Path, clock: ManualClock) -> None:
    first, second = create_key(tmp_path / "1.json", "one"), create_key(tmp_path / "2.json", "two")
    write_jwks(tmp_path / "jwks.json", [first])
    verifier = TokenVerifier(KeySource(str(tmp_path / "jwks.json"), clock), RULES, clock)
    await verifier.verify(token(first, clock))
    write_jwks(tmp_path / "jwks.json", [first, second])
    clock.advance(seconds=11)
    assert (await verifier.verify(token(second, clock))).user_id == "alice"


async def test_keys_that_cannot_be_read_are_an_outage_not_a_refusal(
    tmp_path: Path, key: OKPKey, clock: ManualClock
) -> None:
    verifier = TokenVerifier(KeySource(str(tmp_path / "missing.json"), clock), RULES, clock)
    with pytest.raises(Unavailable):
        await verifier.verify(token(key, clock))


async def test_a_burst_at_the_start_waits_for_the_keys(
    verifier: TokenVerifier, key: OKPKey, clock: ManualClock
) -> None:
    principals = await asyncio.gather(*(verifier.verify(token(key, clock, sub=f"u{n}")) for n in range(20)))
    assert len({principal.user_id for principal in principals}) == 20


async def test_a_service_speaks_only_for_itself(tmp_path: Path, clock: ManualClock) -> None:
    worker, session = create_key(tmp_path / "w.json", "worker"), create_key(tmp_path / "s.json", "session")
    write_jwks(tmp_path / "jwks.json", [worker, session])
    verifier = InternalVerifier(KeySource(str(tmp_path / "jwks.json"), clock), "billing", clock)
    assert await verifier.caller(InternalSigner(session, "session", clock).token("billing")) == "session"
    with pytest.raises(Unauthorized):
        await verifier.caller(InternalSigner(worker, "session", clock).token("billing"))
    with pytest.raises(Unauthorized):
        await verifier.caller(InternalSigner(session, "session", clock).token("library"))


async def test_user_and_internal_tokens_do_not_open_each_others_doors(
    tmp_path: Path, verifier: TokenVerifier, key: OKPKey, clock: ManualClock
) -> None:
    internal = InternalVerifier(KeySource(str(tmp_path / "jwks.json"), clock), "prsm", clock)
    with pytest.raises(Unauthorized):
        await internal.caller(token(key, clock, scope="service"))
    with pytest.raises(Unauthorized):
        await verifier.verify(InternalSigner(key, "local", clock).token("prsm"))


async def test_a_grant_is_checked_offline_and_ends(tmp_path: Path, key: OKPKey, clock: ManualClock) -> None:
    session, worker = create_key(tmp_path / "s.json", "session"), create_key(tmp_path / "w.json", "worker")
    write_jwks(tmp_path / "jwks.json", [key, session, worker])
    grant = Grant("alice", "0192f0aa-1111-7000-8000-000000000000", 3, documents=("d1",), sessions=("s:1:h",))
    text = GrantSigner(session, clock, ttl=60).sign(grant)
    verifier = GrantVerifier(KeySource(str(tmp_path / "jwks.json"), clock), clock)
    assert await verifier.verify(text) == grant
    with pytest.raises(Forbidden):  # Whoever holds a grant must not be able to make one.
        await verifier.verify(GrantSigner(worker, clock, ttl=60).sign(grant))
    clock.advance(seconds=120)
    with pytest.raises(Forbidden):
        await verifier.verify(text)
    with pytest.raises(Forbidden):
        await verifier.verify(token(key, clock))
