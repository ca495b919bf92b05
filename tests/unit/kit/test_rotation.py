"""Keys that join, change and go while those who check signatures run on."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from kit.auth.grants import Grant, GrantSigner, GrantVerifier
from kit.auth.internal import InternalSigner, InternalVerifier
from kit.auth.keys import KeySource, create_key, owner_of, write_jwks
from kit.auth.tokens import TokenRules, TokenVerifier, mint
from kit.errors import Forbidden, Unauthorized
from kit.times import ManualClock

GRANT = Grant("alice", "0192f0aa-1111-7000-8000-000000000000", 3, documents=("d1",))


class CountedKeys(KeySource):
    """Counts how often the source is read."""

    def __init__(self, path: Path, clock: ManualClock) -> None:
        super().__init__(str(path), clock)
        self.reads = 0

    async def _read_again(self) -> None:
        before = self._tried_at
        await super()._read_again()
        self.reads += self._tried_at != before


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


async def test_a_replica_that_joins_is_known_without_a_restart(tmp_path: Path, clock: ManualClock) -> None:
    jwks = tmp_path / "jwks.json"
    first, second = create_key(tmp_path / "1", "session/1"), create_key(tmp_path / "2", "session/2")
    write_jwks(jwks, [first])
    verifier = InternalVerifier(KeySource(str(jwks), clock), "billing", clock)
    assert await verifier.caller(InternalSigner(first, "session", clock).token("billing")) == "session"
    write_jwks(jwks, [first, second])
    clock.advance(seconds=6)
    assert await verifier.caller(InternalSigner(second, "session", clock).token("billing")) == "session"


async def test_a_replicas_key_speaks_for_its_own_service_alone(tmp_path: Path, clock: ManualClock) -> None:
    jwks = tmp_path / "jwks.json"
    worker, odd = create_key(tmp_path / "w", "worker/session"), create_key(tmp_path / "o", "sessions/1")
    write_jwks(jwks, [worker, odd])
    verifier = InternalVerifier(KeySource(str(jwks), clock), "billing", clock)
    for key in (worker, odd):
        with pytest.raises(Unauthorized):
            await verifier.caller(InternalSigner(key, "session", clock).token("billing"))
    grants = GrantVerifier(KeySource(str(jwks), clock), clock)
    with pytest.raises(Forbidden):
        await grants.verify(GrantSigner(odd, clock).sign(GRANT))


async def test_any_replica_of_session_signs_grants(tmp_path: Path, clock: ManualClock) -> None:
    key = create_key(tmp_path / "2", "session/2")
    write_jwks(tmp_path / "jwks.json", [key])
    grants = GrantVerifier(KeySource(str(tmp_path / "jwks.json"), clock), clock)
    assert await grants.verify(GrantSigner(key, clock).sign(GRANT)) == GRANT


async def test_a_key_that_was_replaced_under_the_same_id_is_found(tmp_path: Path, clock: ManualClock) -> None:
    jwks = tmp_path / "jwks.json"
    old, new = create_key(tmp_path / "old", "session"), create_key(tmp_path / "new", "session")
    write_jwks(jwks, [old])
    verifier = InternalVerifier(KeySource(str(jwks), clock), "billing", clock)
    await verifier.caller(InternalSigner(old, "session", clock).token("billing"))
    write_jwks(jwks, [new])
    clock.advance(seconds=6)
    assert await verifier.caller(InternalSigner(new, "session", clock).token("billing")) == "session"
    with pytest.raises(Unauthorized):
        await verifier.caller(InternalSigner(old, "session", clock).token("billing"))


async def test_a_key_that_was_taken_out_is_forgotten_in_time(tmp_path: Path, clock: ManualClock) -> None:
    jwks = tmp_path / "jwks.json"
    stays, goes = create_key(tmp_path / "1", "session/1"), create_key(tmp_path / "2", "session/2")
    write_jwks(jwks, [stays, goes])
    verifier = InternalVerifier(KeySource(str(jwks), clock), "billing", clock)
    await verifier.caller(InternalSigner(stays, "session", clock).token("billing"))
    write_jwks(jwks, [stays])
    clock.advance(seconds=301)
    with pytest.raises(Unauthorized):
        await verifier.caller(InternalSigner(goes, "session", clock).token("billing"))
    assert await verifier.caller(InternalSigner(stays, "session", clock).token("billing")) == "session"


async def test_a_token_that_was_known_ends_with_its_key(tmp_path: Path, clock: ManualClock) -> None:
    jwks = tmp_path / "jwks.json"
    stays, goes = create_key(tmp_path / "1", "stays"), create_key(tmp_path / "2", "goes")
    write_jwks(jwks, [stays, goes])
    rules = TokenRules(issuer="https://issuer", audience="prsm")
    verifier = TokenVerifier(KeySource(str(jwks), clock), rules, clock)
    good, bad = (mint(key, rules, clock, ttl=86400, claims={"sub": "ada"}) for key in (stays, goes))
    for token in (good, bad):
        assert (await verifier.verify(token)).user_id == "ada"
    write_jwks(jwks, [stays])
    clock.advance(seconds=301)
    assert verifier.remembered(bad) is None
    with pytest.raises(Unauthorized):
        await verifier.verify(bad)
    assert (await verifier.verify(good)).user_id == "ada"


async def test_long_grants_are_not_remembered_without_bound(tmp_path: Path, clock: ManualClock) -> None:
    key = create_key(tmp_path / "key", "session")
    write_jwks(tmp_path / "jwks.json", [key])
    verifier = GrantVerifier(KeySource(str(tmp_path / "jwks.json"), clock), clock)
    signer = GrantSigner(key, clock)
    for epoch in range(100):
        # A hundred of these are more than may be kept.
        token = signer.sign(Grant("alice", GRANT.session_id, epoch, documents=("d" * 90_000,)))
        assert (await verifier.verify(token)).epoch == epoch
    kept = verifier._tokens._known
    assert 0 < sum(map(len, kept)) <= 8 * 1024 * 1024
    assert token in kept


async def test_forgeries_do_not_make_the_source_be_read_all_the_time(tmp_path: Path, clock: ManualClock) -> None:
    jwks = tmp_path / "jwks.json"
    key, stranger = create_key(tmp_path / "1", "session"), create_key(tmp_path / "2", "session")
    write_jwks(jwks, [key])
    keys = CountedKeys(jwks, clock)
    verifier = InternalVerifier(keys, "billing", clock)
    await verifier.caller(InternalSigner(key, "session", clock).token("billing"))
    clock.advance(seconds=6)
    for number in range(20):
        with pytest.raises(Unauthorized):
            await verifier.caller(InternalSigner(stranger, "session", clock, ttl=100 + number).token("billing"))
        with pytest.raises(Unauthorized):
            await verifier.caller(unknown(number))
    assert keys.reads == 2
    # Those whose keys are good have noticed nothing.
    assert await verifier.caller(InternalSigner(key, "session", clock, ttl=99).token("billing")) == "session"


def unknown(number: int) -> str:
    head = base64.urlsafe_b64encode(json.dumps({"alg": "EdDSA", "kid": f"k{number}"}).encode()).rstrip(b"=").decode()
    return f"{head}.e30.AAAA"


def test_whom_a_key_id_names() -> None:
    named = {kid: owner_of(kid) for kid in ("session", "session/2", "session/a/b", "/session", "", None, 7)}
    assert named == {
        "session": "session",
        "session/2": "session",
        "session/a/b": "session",
        "/session": "",
        "": "",
        None: "",
        7: "",
    }
