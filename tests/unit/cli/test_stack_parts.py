"""The pieces that a stack is made of."""

from __future__ import annotations

import json
import os
import random
import socket
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from cli.errors import Refused
from cli.stack import nats
from cli.stack.datadir import DataDir
from cli.stack.environment import SERVICES, Addresses, Environments
from cli.stack.keys import IDENTITIES, ensure_keys
from cli.stack.options import StackOptions
from cli.stack.part import Tier
from cli.stack.ports import Ports
from cli.stack.running import FORCE_AFTER, Signals
from cli.stack.stack import _GRACE
from deploy.envoy.settings import EdgeSettings
from gateway.settings import GatewaySettings
from kit.settings import ServiceSettings, unknown_settings
from services.billing.settings import BillingSettings
from services.collab.settings import CollabSettings
from services.library.settings import LibrarySettings
from services.results.settings import ResultsSettings
from services.session.settings import SessionSettings
from worker.settings import WorkerSettings

ADDRESSES = Addresses(8080, {name: 20_001 + n for n, name in enumerate(SERVICES)}, 20_100, (20_200, 20_201))


@pytest.fixture
def data(tmp_path: Path) -> DataDir:
    made = DataDir(tmp_path / "data")
    made.create()
    ensure_keys(made)
    return made


def test_a_reserved_port_is_free_for_a_server_and_for_nobody_else() -> None:
    ports = Ports()
    port = ports.free()
    with socket.socket() as stranger, pytest.raises(OSError, match="in use"):
        stranger.bind(("127.0.0.1", port))
    for _ in range(2):
        with socket.socket() as server:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            server.bind(("127.0.0.1", port))
            server.listen()
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
    ports.release()
    with socket.socket() as anybody:
        anybody.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        anybody.bind(("127.0.0.1", port))


def test_what_does_not_end_is_killed_within_the_ten_seconds_that_a_stack_has() -> None:
    assert set(_GRACE) == set(Tier)
    assert sum(_GRACE.values()) < 10


def test_two_stacks_never_choose_the_same_port() -> None:
    first, second = Ports(random.Random(7)), Ports(random.Random(7))
    assert not {first.free() for _ in range(5)} & {second.free() for _ in range(5)}
    first.release()
    second.release()


def test_keys_are_made_once_and_only_their_owner_reads_them(data: DataDir) -> None:
    before = {path.name: path.read_bytes() for path in data.keys.iterdir()}
    ensure_keys(data)
    assert {path.name: path.read_bytes() for path in data.keys.iterdir()} == before
    for path in (data.user_key, data.nats_token, *(data.internal_key(name) for name in IDENTITIES)):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    published = json.loads(data.internal_jwks.read_text())["keys"]
    assert sorted(key["kid"] for key in published) == sorted(IDENTITIES)
    assert not any("d" in key for key in published)


def test_a_key_that_cannot_be_read_is_named(data: DataDir) -> None:
    data.user_key.write_text("{")
    with pytest.raises(Refused, match=r"prsm-local\.json cannot be read"):
        ensure_keys(data)


def test_a_lock_is_held_by_every_copy_of_its_descriptor(data: DataDir) -> None:
    held = data.lock()
    copy = os.dup(held)
    os.close(held)
    with pytest.raises(Refused, match=f"in use by another prsm up \\(process {os.getpid()}\\)"):
        data.lock()
    os.close(copy)
    os.close(data.lock())


def test_what_users_entrust_to_the_stack_is_for_its_owner_alone(tmp_path: Path) -> None:
    made = DataDir(tmp_path / "fresh")
    made.create()
    folders = (made.keys, made.databases, made.blobs, made.logs, made.nats)
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in folders} == {0o700}


def test_logs_of_the_last_run_are_kept_aside(data: DataDir) -> None:
    data.fresh_log("session").write_text("first")
    data.fresh_log("session").write_text("second")
    assert sorted(path.name for path in data.logs.iterdir()) == ["session.log", "session.log.1"]
    assert (data.logs / "session.log.1").read_text() == "first"


def environments(data: DataDir, inherited: dict[str, str] | None = None, **options: str) -> Environments:
    return Environments(data=data, addresses=ADDRESSES, inherited=inherited or {}, **options)


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_gets_all_the_settings_that_every_service_has(data: DataDir, name: str) -> None:
    given = environments(data).service(name)
    for field, info in ServiceSettings.model_fields.items():
        if info.is_required():
            assert given[f"PRSM_{name.upper()}_{field.upper()}"]
    assert given[f"PRSM_{name.upper()}_INTERNAL_KEY"].endswith(f"internal.{name}.json")


def test_no_part_is_told_what_it_does_not_take(data: DataDir) -> None:
    addresses = replace(ADDRESSES, metrics=dict.fromkeys((*SERVICES, "gateway", "worker-1"), 20300))
    made = Environments(data=data, addresses=addresses, inherited={})
    services: dict[str, type[ServiceSettings]] = {
        "billing": BillingSettings,
        "collab": CollabSettings,
        "library": LibrarySettings,
        "results": ResultsSettings,
        "session": SessionSettings,
    }
    given = {name: (made.service(name), settings.model_fields) for name, settings in services.items()}
    given["worker"] = (made.worker(0), WorkerSettings.model_fields)
    given["gateway"] = (made.gateway(), GatewaySettings.model_fields)
    for name, (environment, fields) in given.items():
        assert unknown_settings(environment, f"PRSM_{name.upper()}_", fields) == []


@pytest.mark.parametrize("name", ["PRSM_WORKER_MODEL_URL", "PRSM_WORKER_MODEL_URL_FILE"])
def test_sessions_are_estimated_with_a_language_model_where_workers_have_one(data: DataDir, name: str) -> None:
    assert "PRSM_SESSION_MODEL" not in environments(data).service("session")
    given = {name: "given"}
    assert environments(data, given).service("session")["PRSM_SESSION_MODEL"] == "true"
    given["PRSM_SESSION_MODEL"] = "false"
    assert environments(data, given).service("session")["PRSM_SESSION_MODEL"] == "false"


def test_a_worker_and_the_gateway_get_all_that_they_need(data: DataDir, monkeypatch: pytest.MonkeyPatch) -> None:
    for key, value in {**environments(data).worker(1), **environments(data).gateway()}.items():
        monkeypatch.setenv(key, value)
    worker, gateway = WorkerSettings.model_validate({}), GatewaySettings.model_validate({})
    assert worker.listen == "127.0.0.1:20201"
    assert worker.session_target == f"127.0.0.1:{ADDRESSES.services['session']}"
    assert set(gateway.backends) == set(SERVICES)
    assert gateway.address == ("127.0.0.1", 8080)
    assert gateway.descriptors.is_absolute()


def test_an_envoy_gets_all_that_it_needs(data: DataDir, monkeypatch: pytest.MonkeyPatch) -> None:
    addresses = replace(ADDRESSES, admin=20_300, metrics={"envoy": 20_301})
    for key, value in Environments(data=data, addresses=addresses, inherited={}).envoy().items():
        monkeypatch.setenv(key, value)
    settings = EdgeSettings.model_validate({})
    assert (settings.port, settings.admin_port, settings.metrics_port) == (8080, 20_300, 20_301)
    assert set(settings.backends) == set(SERVICES)
    assert settings.user_jwks == str(data.user_jwks)
    assert settings.descriptors.is_absolute()


def test_another_edge_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="--edge must be gateway or envoy, not nginx"):
        StackOptions(tmp_path, edge="nginx")


def test_what_the_user_sets_goes_before_defaults_but_not_before_what_parts_agree_on(data: DataDir) -> None:
    inherited = {
        "PRSM_SESSION_SWEEP_SECONDS": "0.1",
        "PRSM_SESSION_DRAIN_SECONDS": "9",
        "PRSM_SESSION_LISTEN": "0.0.0.0:1",
        "PATH": "/bin",
    }
    given = environments(data, inherited).service("session")
    assert given["PRSM_SESSION_SWEEP_SECONDS"] == "0.1"
    assert given["PRSM_SESSION_DRAIN_SECONDS"] == "9"
    assert given["PRSM_SESSION_LISTEN"] == f"127.0.0.1:{ADDRESSES.services['session']}"
    assert given["PATH"] == "/bin"


@pytest.mark.parametrize("name", ["results", "library"])
def test_bytes_are_kept_where_the_user_says_else_in_the_data_directory(data: DataDir, name: str) -> None:
    setting = f"PRSM_{name.upper()}_BLOBS"
    own = str(data.blobs / name)
    assert environments(data).service(name)[setting] == own
    assert environments(data, {setting: ""}).service(name)[setting] == own
    assert environments(data, {setting: "s3://bucket/there"}).service(name)[setting] == "s3://bucket/there"
    assert setting not in environments(data, {f"{setting}_FILE": "/etc/place"}).service(name)


@pytest.mark.parametrize(
    ("results", "library", "good"),
    [
        ("s3://bucket/prsm", "s3://bucket/prsm/", False),
        ("s3://bucket", "s3://bucket/library", False),
        ("s3://bucket/results/more", "s3://bucket/results", False),
        ("s3://bucket/results", "s3://bucket/results-of-library", True),
        ("s3://bucket/results", "", True),
        ("", "", True),
    ],
)
def test_one_place_for_two_services_is_refused(data: DataDir, results: str, library: str, good: bool) -> None:
    made = environments(data, {"PRSM_RESULTS_BLOBS": results, "PRSM_LIBRARY_BLOBS": library})
    if good:
        made.look()
        return
    with pytest.raises(Refused, match="PRSM_LIBRARY_BLOBS and PRSM_RESULTS_BLOBS must be two places, neither in the"):
        made.look()


def test_databases_are_files_or_one_server(data: DataDir) -> None:
    assert environments(data).database("session") == f"sqlite:///{data.databases / 'session.db'}"
    url = "postgresql://me@host/prsm"
    assert environments(data, database_url=url).database("session") == url


def test_the_broker_is_configured_with_its_token_for_its_owner_alone(data: DataDir) -> None:
    path = nats.write_config(data, 4222, sync_interval="always")
    settings = json.loads(path.read_text())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert settings["authorization"] == {"token": data.nats_token.read_text()}
    assert settings["jetstream"]["sync_interval"] == "always"
    assert settings["host"] == "127.0.0.1"
    assert "http" not in settings


def test_the_broker_has_the_same_room_however_full_the_disk_is_when_it_starts(data: DataDir) -> None:
    settings = json.loads(nats.write_config(data, 4222, sync_interval="2m", monitor=8222).read_text())
    assert settings["jetstream"]["max_file_store"] >= 2**40
    assert settings["http"] == "127.0.0.1:8222"


@pytest.mark.parametrize("bad", ["", "2", "soon", "-1s", "0s"])
def test_a_bad_sync_interval_is_refused(data: DataDir, bad: str) -> None:
    with pytest.raises(Refused, match="PRSM_NATS_SYNC_INTERVAL"):
        nats.write_config(data, 4222, sync_interval=bad)


@pytest.mark.parametrize(("later", "killed"), [(0.0, False), (FORCE_AFTER - 0.01, False), (FORCE_AFTER, True)])
def test_a_further_signal_kills_only_after_a_while(later: float, killed: bool) -> None:
    now = 100.0
    signals = Signals(lambda: now)
    signals.receive()
    assert signals.stop.is_set()
    now += later
    signals.receive()
    assert signals.kill.is_set() == killed
