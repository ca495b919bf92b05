"""What settings of identity and TLS must come together, and what is said where they do not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from gateway.settings import GatewaySettings
from kit.auth.internal import InternalSigner
from kit.auth.keys import create_key
from kit.auth.projected import ProjectedTokens
from kit.identity import grant_verifier, nats_context, tls_files, token_source
from kit.settings import BadSettings, TlsSettings
from kit.times import ManualClock
from services.billing.settings import BillingSettings
from services.collab.settings import CollabSettings
from services.library.settings import LibrarySettings
from services.results.settings import ResultsSettings
from services.session.settings import SessionSettings
from tests.support.certificates import Authority, TlsFolder
from worker.settings import WorkerSettings

TOKENS = {
    "internal_tokens": "/tokens",
    "internal_issuer": "https://cluster",
    "internal_subjects": "system:serviceaccount:prsm:",
}
CLOCK = ManualClock()


def made(kind: type[Any], **given: Any) -> Any:
    required = {name: "x" for name, field in kind.model_fields.items() if field.is_required()}
    return kind.model_validate({**required, **({"backends": {}} if kind is GatewaySettings else {}), **given})


@pytest.mark.parametrize("kind", [BillingSettings, WorkerSettings, GatewaySettings])
def test_certificate_key_and_authorities_belong_together(kind: type[TlsSettings]) -> None:
    own = {} if kind is GatewaySettings else {"internal_key": "key"}
    assert tls_files(made(kind, **own)) is None
    with pytest.raises(ValidationError, match=r"PRSM_[A-Z]+_TLS_KEY, PRSM_[A-Z]+_TLS_CA must be set too"):
        made(kind, **own, tls_cert="cert.pem")


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        (BillingSettings, "user_algorithms"),
        (BillingSettings, "internal_algorithms"),
        (GatewaySettings, "user_algorithms"),
    ],
)
def test_tokens_that_anybody_could_sign_cannot_be_asked_for(kind: type[Any], field: str) -> None:
    own: dict[str, Any] = {} if kind is GatewaySettings else {"internal_key": "key"}
    assert getattr(made(kind, **own, **{field: ["RS256"]}), field) == ["RS256"]
    for algorithms in (["none"], ["EdDSA", "none"], ["HS256"], []):
        with pytest.raises(ValidationError, match=field):
            made(kind, **own, **{field: algorithms})


@pytest.mark.parametrize("kind", [BillingSettings, WorkerSettings])
@pytest.mark.parametrize("given", [{}, {**TOKENS, "internal_key": "key"}])
def test_a_process_has_one_identity(kind: type[Any], given: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match=r"exactly one of PRSM_[A-Z]+_INTERNAL_KEY and PRSM_[A-Z]+_INTERNAL_TOK"):
        made(kind, **given)


@pytest.mark.parametrize(
    ("kind", "given", "missing"),
    [
        (BillingSettings, {"internal_tokens": "/t", "internal_issuer": "i"}, "PRSM_BILLING_INTERNAL_SUBJECTS"),
        (BillingSettings, {"internal_tokens": "/t", "internal_subjects": "s:"}, "PRSM_BILLING_INTERNAL_ISSUER"),
        (SessionSettings, TOKENS, "PRSM_SESSION_GRANT_KEY"),
        (LibrarySettings, TOKENS, "PRSM_LIBRARY_GRANT_JWKS"),
        (ResultsSettings, TOKENS, "PRSM_RESULTS_GRANT_JWKS"),
        (CollabSettings, TOKENS, "PRSM_COLLAB_SHARE_SECRET"),
    ],
)
def test_what_the_platforms_tokens_cannot_do_needs_keys_of_its_own(
    kind: type[Any], given: dict[str, str], missing: str
) -> None:
    with pytest.raises(ValidationError, match=missing):
        made(kind, **given)


def test_users_and_services_must_have_different_issuers() -> None:
    with pytest.raises(ValidationError, match="PRSM_BILLING_USER_ISSUER and PRSM_BILLING_INTERNAL_ISSUER"):
        made(BillingSettings, **TOKENS, user_issuer="https://cluster")


def test_the_identity_follows_the_settings(tmp_path: Path) -> None:
    create_key(tmp_path / "key", "billing/2")
    key = str(tmp_path / "key")
    assert isinstance(token_source(made(BillingSettings, internal_key=key), "billing", CLOCK), InternalSigner)
    assert isinstance(token_source(made(BillingSettings, **TOKENS), "billing", CLOCK), ProjectedTokens)
    assert grant_verifier(made(BillingSettings, **TOKENS), CLOCK) is None
    assert grant_verifier(made(LibrarySettings, **TOKENS, grant_jwks="g"), CLOCK) is not None
    assert made(SessionSettings, **TOKENS, grant_key="g").signing_key == "g"
    assert made(SessionSettings, internal_key="k").signing_key == "k"
    assert made(SessionSettings, internal_key="k", grant_key="g").signing_key == "g"


def test_a_key_that_is_anothers_or_none_is_a_wrong_setting(tmp_path: Path) -> None:
    create_key(tmp_path / "key", "worker")
    public = create_key(tmp_path / "other", "billing").as_dict(private=False)
    for name, content in (("bad", "{}"), ("odd", "[]"), ("public", json.dumps(public))):
        (tmp_path / name).write_text(content)
    faults = {"key": "the key's id is worker", **dict.fromkeys(("bad", "odd", "public", "none"), "cannot be read")}
    for name, words in faults.items():
        settings = made(BillingSettings, internal_key=str(tmp_path / name))
        with pytest.raises(BadSettings, match=f"PRSM_BILLING_INTERNAL_KEY: .*{words}"):
            token_source(settings, "billing", CLOCK)


def test_files_that_cannot_be_used_are_named_by_their_settings(tmp_path: Path) -> None:
    files = TlsFolder(tmp_path / "tls", Authority(), "host")
    assert tls_files(made(WorkerSettings, internal_key="k", **files.settings(), tls_name="any")) is not None
    files.key.unlink()
    with pytest.raises(BadSettings, match=r"PRSM_WORKER_TLS_CERT, .*tls\.key cannot be read"):
        tls_files(made(WorkerSettings, internal_key="k", **files.settings()))
    assert nats_context(made(WorkerSettings, internal_key="k")) is None
    for path in (tmp_path / "none", files.cert.parent / "empty"):
        (files.cert.parent / "empty").write_text("")
        with pytest.raises(BadSettings, match="PRSM_WORKER_NATS_CA"):
            nats_context(made(WorkerSettings, internal_key="k", nats_ca=str(path)))


@pytest.mark.parametrize("module", ["services.billing", "worker", "gateway"])
def test_a_process_ends_with_one_clear_line(module: str) -> None:
    word = module.rpartition(".")[2]
    kind: dict[str, type[Any]] = {"billing": BillingSettings, "worker": WorkerSettings, "gateway": GatewaySettings}
    prefix = f"PRSM_{word.upper()}_"
    given = {prefix + name.upper(): "{}" for name, field in kind[word].model_fields.items() if field.is_required()}
    own = {} if word == "gateway" else {prefix + "INTERNAL_KEY": "none"}
    done = subprocess.run(
        [sys.executable, "-m", module],
        env={**os.environ, **given, **own, prefix + "TLS_CERT": "cert.pem"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2
    assert f"{prefix}TLS_KEY, {prefix}TLS_CA must be set too" in done.stderr
    assert done.stderr.count("\n") == 1
