"""The keys of an installation of containers: made once, rotated without a gap, retired on request."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.errors import Refused
from cli.keys import USERS, KeyFolder, ensure_key_folder, retire, rotate
from cli.main import run_command
from cli.stack.keys import IDENTITIES, USER_AUDIENCE, USER_ISSUER
from kit.auth.keys import KeySource
from kit.auth.tokens import TokenRules, TokenVerifier
from kit.times import SystemClock

URL = "postgresql://prsm@postgres:5432/prsm"


def kids(folder: Path, owner: str) -> list[str]:
    return [key["kid"] for key in json.loads(KeyFolder(folder).key_set(owner).read_text())["keys"]]


def test_everything_is_made_once_and_private_keys_are_their_owners_alone(tmp_path: Path) -> None:
    made = ensure_key_folder(tmp_path, database_url=URL)
    assert set(made) == {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()} - {
        "public/users.jwks.json",
        "public/internal.jwks.json",
    }
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert ensure_key_folder(tmp_path, database_url=URL) == []
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    assert kids(tmp_path, "session") == list(IDENTITIES)
    for owner in (USERS, *IDENTITIES):
        assert KeyFolder(tmp_path).key(owner).stat().st_mode & 0o077 == 0
    password = (tmp_path / "postgres" / "password").read_text()
    assert (tmp_path / "database" / "url").read_text() == f"postgresql://prsm:{password}@postgres:5432/prsm"
    assert len((tmp_path / "collab" / "share.secret").read_bytes()) >= 32
    assert (tmp_path / "nats" / "token").read_text() in (tmp_path / "nats" / "auth.conf").read_text()


def test_a_new_folder_of_secrets_is_its_owners_alone(tmp_path: Path) -> None:
    ensure_key_folder(tmp_path / "made" / "keys", database_url=URL)
    assert (tmp_path / "made" / "keys").stat().st_mode & 0o077 == 0


async def test_a_rotated_key_leaves_older_tokens_good_until_it_is_retired(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ensure_key_folder(tmp_path)
    clock = SystemClock()
    rules = TokenRules(issuer=USER_ISSUER, audience=USER_AUDIENCE)
    given = ["token", "--user", "ada", "--key", str(KeyFolder(tmp_path).key(USERS))]
    tokens = []
    for _ in range(2):
        assert run_command(given) == 0
        tokens.append(capsys.readouterr().out.strip())
        rotate(tmp_path, USERS)
    for token in tokens:
        verifier = TokenVerifier(KeySource(str(KeyFolder(tmp_path).key_set(USERS)), clock), rules, clock)
        assert (await verifier.claims(token))[0].user_id == "ada"
    assert kids(tmp_path, USERS) == ["prsm-local", "prsm-local/2", "prsm-local/3"]
    assert rotate(tmp_path, "session") == "session/2"
    assert retire(tmp_path) == 3
    assert kids(tmp_path, USERS) == ["prsm-local/3"]
    assert sorted(kids(tmp_path, "session")) == sorted(["session/2", *(set(IDENTITIES) - {"session"})])


@pytest.mark.parametrize("url", ["prsm", "postgresql://host/name", "postgresql://user:password@host/name"])
def test_a_url_that_a_password_cannot_be_put_into_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(Refused, match="must look like"):
        ensure_key_folder(tmp_path, database_url=url)


def test_only_what_has_a_key_can_be_rotated(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="--rotate must be one of users, session"):
        rotate(tmp_path, "gateway")
    with pytest.raises(Refused, match="there is no key of session"):
        rotate(tmp_path, "session")


def test_rotating_and_retiring_at_once_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody would know the new key yet, and nobody would accept the old one."""
    ensure_key_folder(tmp_path)
    before = kids(tmp_path, "session")
    assert run_command(["keys", "--to", str(tmp_path), "--rotate", "session", "--retire"]) == 2
    assert "wait ten minutes" in capsys.readouterr().err
    assert kids(tmp_path, "session") == before


def test_the_keys_of_a_stack_on_one_machine_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "prsm-local.json").write_text("{}")
    with pytest.raises(Refused, match="belongs to prsm up"):
        ensure_key_folder(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["prsm-local.json"]
