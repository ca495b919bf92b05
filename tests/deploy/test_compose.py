"""The compose file says what the processes understand, waits for what must come first, and shuts every process in."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic_settings import BaseSettings

from cli.keys import ensure_key_folder
from cli.stack.environment import SERVICES
from deploy.checks.processes import PROCESSES as SETTINGS
from deploy.docker.dockerfile import parse

FOLDER = Path(__file__).resolve().parents[2] / "deploy"
COMPOSE = yaml.load((FOLDER / "compose" / "compose.yaml").read_text(), yaml.CSafeLoader)
PARTS: dict[str, Any] = COMPOSE["services"]
DOCKERFILE = parse(FOLDER / "docker" / "Dockerfile")
PROCESSES = (*SERVICES, "worker", "envoy", "gateway")
BROKERS = ("nats", "nats-2", "nats-3")
LASTING = (*PROCESSES, *BROKERS, "postgres")
KEYS = frozenset(
    {
        *("image", "user", "command", "environment", "volumes", "depends_on", "healthcheck", "deploy", "ports"),
        *("stop_grace_period", "stop_signal", "profiles", "networks", "restart", "read_only", "cap_drop"),
        *("security_opt", "init", "tmpfs", "logging", "shm_size"),
    }
)
"""What is used of the Compose Specification; anything else is a slip or belongs here."""


def seconds(duration: str) -> float:
    match = re.fullmatch(r"([0-9]+)(s|m)", duration)
    assert match, duration
    return int(match[1]) * {"s": 1, "m": 60}[match[2]]


def settings_of(name: str) -> type[BaseSettings]:
    return SETTINGS[name]


@pytest.mark.parametrize("name", PARTS)
def test_every_part_uses_known_keys_and_is_shut_in(name: str) -> None:
    part = PARTS[name]
    assert part.keys() <= KEYS
    assert part["read_only"] is True
    assert part["cap_drop"] == ["ALL"]
    assert part["security_opt"] == ["no-new-privileges:true"]
    assert int(part["user"].split(":")[0]) > 0
    assert part["deploy"]["resources"]["limits"].keys() == {"cpus", "memory", "pids"}
    assert set(part["networks"]) <= COMPOSE["networks"].keys()
    for volume in part.get("volumes", ()):
        assert volume["type"] == "bind" or volume["source"] in COMPOSE["volumes"]


@pytest.mark.parametrize("name", PROCESSES)
def test_every_variable_is_a_setting_and_every_needed_setting_is_given(name: str) -> None:
    model = settings_of(name)
    prefix = f"PRSM_{name.upper()}_"
    given = {variable.removeprefix(prefix).removesuffix("_FILE").lower() for variable in PARTS[name]["environment"]}
    assert all(variable.startswith(prefix) for variable in PARTS[name]["environment"])
    assert given <= model.model_fields.keys(), given - model.model_fields.keys()
    needed = {field for field, info in model.model_fields.items() if info.is_required()}
    assert needed <= given, needed - given
    assert {"internal_key"} <= given or name in ("envoy", "gateway")


@pytest.mark.parametrize("name", [*SERVICES, "envoy", "gateway"])
def test_everybody_takes_users_tokens_of_the_same_issuer(name: str) -> None:
    """One who accepts other algorithms than the rest would refuse what an identity provider signs."""
    given = {variable: value for variable, value in PARTS[name]["environment"].items() if "_USER_" in variable}
    assert {variable.partition("_USER_")[2]: value for variable, value in given.items()} == {
        "ISSUER": "${PRSM_USER_ISSUER:-prsm-local}",
        "AUDIENCE": "${PRSM_USER_AUDIENCE:-prsm}",
        "JWKS": "${PRSM_USER_JWKS:-/run/public/users.jwks.json}",
        "ALGORITHMS": '${PRSM_USER_ALGORITHMS:-["EdDSA"]}',
    }


@pytest.mark.parametrize("name", [name for name in PARTS if name != "postgres"])
def test_every_image_is_one_that_is_built_here(name: str) -> None:
    match = re.fullmatch(r"prsm/([a-z]+):\$\{PRSM_VERSION:-dev\}", PARTS[name]["image"])
    assert match, PARTS[name]["image"]
    assert match[1] in DOCKERFILE.stages
    assert match[1] == name or name in ("keys", "prsm", *BROKERS) or name.startswith("migrate-")


def test_images_from_elsewhere_are_pinned_by_their_full_version() -> None:
    pinned = dict(
        line.split()[:2]
        for line in (FOLDER / "docker" / "bases.lock").read_text().splitlines()
        if line and not line.startswith("#")
    )
    assert PARTS["postgres"]["image"] == f"${{POSTGRES_IMAGE:-{pinned['POSTGRES_IMAGE']}}}"
    assert DOCKERFILE.arguments["PYTHON_BASE"] == pinned["PYTHON_BASE"]
    for image in pinned.values():
        assert re.search(r":[0-9]+\.[0-9]+(\.[0-9]+)?-[a-z]+", image), image


@pytest.mark.parametrize("name", [*PROCESSES, *BROKERS])
def test_health_is_asked_for_as_the_image_does(name: str) -> None:
    image = "nats" if name in BROKERS else name
    probe = DOCKERFILE.effective(image, "HEALTHCHECK")
    assert probe is not None
    asked = yaml.safe_load(probe.text.partition("CMD ")[2])
    assert PARTS[name]["healthcheck"]["test"] == ["CMD", *asked]


@pytest.mark.parametrize("name", PROCESSES)
def test_the_grace_period_covers_the_drain(name: str) -> None:
    drain = float(PARTS[name]["environment"][f"PRSM_{name.upper()}_DRAIN_SECONDS"])
    assert seconds(PARTS[name]["stop_grace_period"]) >= drain + 5


@pytest.mark.parametrize("name", PARTS)
def test_what_must_come_first_is_waited_for(name: str) -> None:
    waits = PARTS[name].get("depends_on", {})
    for other, how in waits.items():
        finite = other == "keys" or other.startswith("migrate-")
        assert how == {"condition": "service_completed_successfully" if finite else "service_healthy"}
        assert other in PARTS
        # A part of a profile that is off would keep everything from starting.
        assert set(PARTS[other].get("profiles", ())) <= set(PARTS[name].get("profiles", ()))
    if name in SERVICES:
        assert {f"migrate-{name}", "nats"} <= waits.keys()
    if name.startswith("migrate-"):
        assert "postgres" in waits
        assert PARTS[name]["restart"] == "no"
    if name in LASTING:
        assert PARTS[name]["restart"] == "unless-stopped"


def test_nothing_waits_for_itself() -> None:
    order: list[str] = []

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, (*path, name)
        for other in PARTS[name].get("depends_on", ()):
            visit(other, (*path, name))
        order.append(name)

    for name in PARTS:
        visit(name, ())
    assert order.index("keys") < order.index("postgres") < order.index("migrate-billing") < order.index("billing")


@pytest.mark.parametrize("name", PARTS)
def test_secrets_are_files_and_each_process_sees_its_own_alone(name: str) -> None:
    for variable, value in PARTS[name].get("environment", {}).items():
        assert not re.search("TOKEN|PASSWORD|SECRET|DATABASE_URL", variable) or str(value).startswith("/run/"), variable
    keys = [volume for volume in PARTS[name].get("volumes", ()) if volume["source"] == "keys"]
    shown = {volume.get("volume", {}).get("subpath") for volume in keys}
    if name == "keys":
        assert shown == {None}
        return
    assert all(volume["read_only"] for volume in keys)
    allowed = {
        "postgres": {"postgres"},
        "prsm": {"users", "database"},
        **{broker: {"nats"} for broker in BROKERS},
        **{edge: {"public"} for edge in ("envoy", "gateway")},
        "worker": {"worker", "nats"},
        **{service: {service, "nats", "public", "database"} for service in SERVICES},
        **{f"migrate-{service}": {"database"} for service in SERVICES},
    }
    assert shown == allowed[name]


def test_only_the_edge_is_open_and_only_to_this_machine() -> None:
    opened = {name: part["ports"] for name, part in PARTS.items() if "ports" in part}
    assert opened == {
        "envoy": ["${PRSM_BIND:-127.0.0.1:8080}:8080"],
        "gateway": ["${PRSM_GATEWAY_BIND:-127.0.0.1:8081}:8080"],
    }


@pytest.mark.parametrize("name", ["single", "cluster"])
def test_the_broker_accepts_its_configuration(name: str, tmp_path: Path) -> None:
    """As the container sees it: the configuration in /etc/prsm includes what the keys' step wrote to /run/nats."""
    made = ensure_key_folder(tmp_path / "run", database_url="postgresql://prsm@postgres/prsm")
    assert "nats/auth.conf" in made
    place = tmp_path / "etc" / "prsm"
    place.mkdir(parents=True)
    text = (FOLDER / "compose" / "nats" / f"{name}.conf").read_text()
    (place / f"{name}.conf").write_text(text.replace("store_dir: /data", f"store_dir: {tmp_path / 'data'}"))
    server = Path(sys.executable).parent / "nats-server"
    done = subprocess.run([server, "-t", "-c", place / f"{name}.conf"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "sync_interval: always" in text


def test_the_cluster_is_what_its_variables_say() -> None:
    lines = (FOLDER / "compose" / "cluster.env").read_text().splitlines()
    given = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    assert given["PRSM_NATS_URL"].split(",") == [f"nats://{name}:4222" for name in BROKERS]
    assert given["PRSM_STREAM_REPLICAS"] == str(len(BROKERS))
    assert (FOLDER / "compose" / "nats" / f"{given['PRSM_NATS_CONFIG']}.conf").exists()
    used = set(re.findall(r"\$\{([A-Z_]+)", (FOLDER / "compose" / "compose.yaml").read_text()))
    assert given.keys() - {"COMPOSE_PROFILES"} <= used
    for name in BROKERS[1:]:
        assert PARTS[name]["profiles"] == [given["COMPOSE_PROFILES"]]
