"""No credentials, or bad ones: 401 before anything else is looked at, everywhere under /api/v1."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping

import pytest

from kit.auth.tokens import TokenRules, mint
from kit.times import SystemClock
from tests.contract.assertions import assert_error
from tests.contract.calls import given
from tests.contract.table import Endpoint, load
from tests.contract.world import World
from tests.support.rest import API

TABLE = load()


@pytest.mark.parametrize("endpoint", TABLE.endpoints, ids=lambda e: e.name)
async def test_without_credentials_nothing_else_is_looked_at(world: World, endpoint: Endpoint) -> None:
    """Unknown ids, unknown parameters and a broken body are not spoken of."""
    path = endpoint.path.format(session_id="x", comment_id="x", share_id="x", document_id="x", style_id="x", token="x")
    answer = await world.people.with_token("").send(endpoint.method, path, raw=b"{", query={"colour": "blue"})
    assert_error(answer, 401, "unauthorized")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("path", ["/nothing", "/sessions/1/2/3", ""])
async def test_without_credentials_nobody_learns_what_there_is(world: World, path: str) -> None:
    assert_error(await world.people.with_token("").send("GET", API + path), 401, "unauthorized")


def _unsigned() -> str:
    parts = ({"alg": "none", "typ": "at+jwt"}, {"sub": "mallory", "iss": "prsm-local", "aud": "prsm", "exp": 1e11})
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts) + "."


BAD_TOKENS: Mapping[str, Callable[[World], str]] = {
    "garbage": lambda world: "garbage",
    "two parts": lambda world: "a.b",
    "unsigned": lambda world: _unsigned(),
    "ended": lambda world: world.stack.token("mallory", ttl=-120),
    "other issuer": lambda world: world.stack.token("mallory", rules=TokenRules("elsewhere", "prsm")),
    "other audience": lambda world: world.stack.token("mallory", rules=TokenRules("prsm-local", "elsewhere")),
    "changed": lambda world: _changed(world.stack.token("mallory")),
    "another service's": lambda world: world.stack.peer("session").metadata()[0][1].removeprefix("Bearer "),
    "unknown key": lambda world: _foreign(),
}


def _changed(token: str) -> str:
    head, body, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    claims["scope"] = "admin"
    forged = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"{head}.{forged}.{signature}"


def _foreign() -> str:
    from joserfc.jwk import OKPKey

    key = OKPKey.generate_key("Ed25519", {"kid": "prsm-local"})
    return mint(key, TokenRules("prsm-local", "prsm"), SystemClock(), ttl=600, claims={"sub": "mallory"})


@pytest.mark.parametrize("kind", BAD_TOKENS)
async def test_bad_token(world: World, kind: str) -> None:
    token = BAD_TOKENS[kind](world)
    assert_error(await world.people.with_token(token).send("GET", f"{API}/sessions"), 401, "unauthorized")
    headers = {"Authorization": "", "X-API-Key": token}
    assert_error(
        await world.people.with_token("x").send("GET", f"{API}/sessions", headers=headers), 401, "unauthorized"
    )


@pytest.mark.parametrize("value", ["Basic dXNlcjpwYXNz", "Bearer", "Bearer  ", "token"])
async def test_bad_authorization_header(world: World, value: str) -> None:
    answer = await world.people.with_token("").send("GET", f"{API}/sessions", headers={"Authorization": value})
    assert_error(answer, 401, "unauthorized")


async def test_a_reading_token_reads(world: World) -> None:
    made = await given(world, "queued_session")
    reader = world.people.known(made.api.user, scope="read")
    assert (await reader.session(made.path["session_id"]))["status"] == "queued"
    answer = await reader.send("POST", f"{API}/sessions/{made.path['session_id']}/cancel")
    assert_error(answer, 403, "forbidden")
    assert (await reader.session(made.path["session_id"]))["status"] == "queued"
