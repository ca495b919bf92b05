"""Keys and secrets of an installation of containers, a folder for each process, so that each is shown only its own.

public/        users.jwks.json, internal.jwks.json
users/         key.json, which signs user tokens where no identity provider does
<process>/     key.json, the process's own; collab/share.secret
nats/          token, and auth.conf, which nats-server includes
postgres/      password
database/      url, with the password
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from joserfc.jwk import OKPKey

from cli.errors import Refused
from cli.stack.keys import IDENTITIES, USER_KID
from kit.auth.keys import create_key, load_key

USERS = "users"
_SETS = {USERS: "users.jwks.json", "internal": "internal.jwks.json"}


@dataclass(frozen=True, slots=True)
class KeyFolder:
    """The folder's layout."""

    root: Path

    def key(self, owner: str) -> Path:
        """The private key of a process, or of `users`."""
        return self.root / owner / "key.json"

    def key_set(self, owner: str) -> Path:
        return self.root / "public" / _SETS[USERS if owner == USERS else "internal"]


def ensure_key_folder(root: Path, *, database_url: str = "") -> list[str]:
    """Create what is missing and leave alone what is there; the paths that were made. `database_url` is without a
    password: `database/url` gets the one in `postgres/password`. Raises Refused."""
    if (root / "prsm-local.json").exists():
        raise Refused(f"{root} belongs to prsm up, which makes its own keys: name another folder")
    folder = KeyFolder(root)
    made: list[str] = []
    try:
        # What containers of other users must read is readable inside; nobody else on this machine gets there.
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        for owner in (USERS, *IDENTITIES):
            if not folder.key(owner).exists():
                _renew(folder, owner)
                made.append(str(folder.key(owner).relative_to(root)))
        token, password = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        fresh = {
            "collab/share.secret": secrets.token_urlsafe(48),
            "nats/token": token,
            "postgres/password": password,
        }
        made += [name for name, value in fresh.items() if _create(root / name, value)]
        derived = {"nats/auth.conf": f"authorization {{ token: {json.dumps(_text(root / 'nats/token'))} }}\n"}
        if database_url:
            derived["database/url"] = _with_password(database_url, _text(root / "postgres/password"))
        made += [name for name, value in derived.items() if _create(root / name, value)]
    except OSError as error:
        raise Refused(f"cannot write the keys to {root}: {error.strerror}") from error
    return made


def rotate(root: Path, owner: str) -> str:
    """Give `owner` a new key, whose id is returned. The old public key stays in the set, so that what it signed stays
    good; `retire` removes it. Raises Refused."""
    folder = KeyFolder(root)
    if owner not in (USERS, *IDENTITIES):
        raise Refused(f"--rotate must be one of {', '.join((USERS, *IDENTITIES))}, not {owner!r}")
    if not folder.key(owner).exists():
        raise Refused(f"there is no key of {owner} in {root}: run prsm keys --to {root} first")
    return _renew(folder, owner)


def retire(root: Path) -> int:
    """Remove every public key but the ones in use; how many."""
    folder, gone = KeyFolder(root), 0
    for owners in ((USERS,), IDENTITIES):
        used = [load_key(folder.key(owner)).as_dict(private=False) for owner in owners]
        kids = {key["kid"] for key in used}
        before = _public(folder.key_set(owners[0]))
        kept = [key for key in before if key["kid"] in kids]
        gone += len(before) - len(kept)
        _write_set(folder.key_set(owners[0]), kept)
    return gone


def _renew(folder: KeyFolder, owner: str) -> str:
    path, key_set = folder.key(owner), folder.key_set(owner)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    known = _public(key_set)
    name = USER_KID if owner == USERS else owner
    numbers = [int(str(key["kid"]).partition("/")[2] or 1) for key in known if str(key["kid"]).split("/")[0] == name]
    kid = f"{name}/{max(numbers) + 1}" if numbers else name
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    key: OKPKey = create_key(fresh, kid)
    # The public half first: nobody may meet a token that no key on show has signed.
    _write_set(key_set, [*known, key.as_dict(private=False)])
    fresh.replace(path)
    return kid


def _public(path: Path) -> list[dict[str, object]]:
    return list(json.loads(path.read_text())["keys"]) if path.exists() else []


def _write_set(path: Path, keys: Sequence[object]) -> None:
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    fresh = path.with_suffix(".tmp")
    fresh.write_text(json.dumps({"keys": list(keys)}))
    fresh.replace(path)


def _create(path: Path, value: str) -> bool:
    if path.exists():
        return False
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    # Other containers' users read these; who sees a folder at all is decided by what is mounted.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    with os.fdopen(descriptor, "w") as file:
        file.write(value)
    return True


def _text(path: Path) -> str:
    return path.read_text().strip()


def _with_password(url: str, password: str) -> str:
    scheme, found, rest = url.partition("://")
    user, at, place = rest.partition("@")
    if not (found and at and user) or ":" in user:
        raise Refused("--database-url must look like postgresql://user@host/name, without a password")
    return f"{scheme}://{user}:{password}@{place}"
