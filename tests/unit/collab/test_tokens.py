"""Share tokens and their secret."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from kit.auth.keys import create_key
from kit.settings import BadSettings
from services.collab.settings import CollabSettings
from services.collab.tokens import ShareTokens, check_secret_file, read_secret

SECRET = bytes(range(32))


def test_token_has_256_bits_and_is_made_again_alike() -> None:
    tokens = ShareTokens(SECRET, "https://h/api/v1/shared/")
    token = tokens.token("a")
    assert len(base64.urlsafe_b64decode(token + "=")) == 32
    assert ShareTokens(SECRET, "https://h/api/v1/shared").url("a") == f"https://h/api/v1/shared/{token}"


def test_token_and_hash_depend_on_share_and_secret() -> None:
    ours, theirs = ShareTokens(SECRET, "x"), ShareTokens(SECRET[::-1], "x")
    assert len({ours.token("a"), ours.token("b"), theirs.token("a")}) == 3
    token = ours.token("a")
    assert len({ours.hash_of(token), theirs.hash_of(token), token}) == 3


def test_secret_from_a_file_is_its_bytes(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    for secret in (SECRET, b"\n" + SECRET[2:] + b" "):
        assert len(secret) == 32
        file.write_bytes(secret)
        check_secret_file(str(file))
        assert read_secret(str(file), "unused") == secret


def test_secret_from_the_own_key(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"key a")
    (tmp_path / "b").write_bytes(b"key b")
    first = read_secret("", str(tmp_path / "a"))
    assert len(first) == 32
    assert first == read_secret("", str(tmp_path / "a")) != read_secret("", str(tmp_path / "b"))


def test_replicas_with_keys_of_their_own_need_a_secret_that_they_share(tmp_path: Path) -> None:
    create_key(tmp_path / "one", "collab")
    create_key(tmp_path / "of several", "collab/1")
    assert len(read_secret("", str(tmp_path / "one"))) == 32
    with pytest.raises(BadSettings, match="PRSM_COLLAB_SHARE_SECRET"):
        read_secret("", str(tmp_path / "of several"))


def test_weak_or_missing_secret_is_a_wrong_setting(tmp_path: Path) -> None:
    weak = tmp_path / "weak"
    weak.write_bytes(b"x" * 31)
    required = {name: "x" for name, field in CollabSettings.model_fields.items() if field.is_required()}
    for path in (weak, tmp_path / "none"):
        with pytest.raises(ValueError, match="share_secret"):
            CollabSettings.model_validate({**required, "share_secret": str(path)})
