"""The secrets that README.md tells to create are those that `prsm keys` makes, and the broker takes its own."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from cli.keys import ensure_key_folder
from deploy.checks.sources import K8S


def test_the_readmes_commands_find_their_files(tmp_path: Path) -> None:
    ensure_key_folder(tmp_path, database_url="postgresql://prsm@prsm-postgres-rw/prsm")
    named = re.findall(r"--from-file=\S+=keys/(\S+)", (K8S / "README.md").read_text())
    assert len(named) >= 5
    assert [name for name in named if not (tmp_path / name).is_file()] == []


def test_the_broker_takes_its_configuration_with_these_secrets(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    ensure_key_folder(keys)
    # As they are mounted: one folder beside the other.
    for folder, name, source in (
        ("nats", "nats.conf", K8S / "overlays" / "dev" / "nats.conf"),
        ("nats-auth", "auth.conf", keys / "nats" / "auth.conf"),
    ):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).write_text(source.read_text().replace("/data", str(tmp_path / "data")))
    program = Path(sys.executable).with_name("nats-server")
    command = [str(program), "-t", "-c", str(tmp_path / "nats" / "nats.conf")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
