"""Readiness, liveness and the probe that images run."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
import pytest_asyncio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from kit.ids import RandomIds
from kit.rpc.channels import open_channel
from kit.rpc.health import CannotListen, Health, HealthServer
from kit.rpc.serve import GrpcServer
from kit.rpc.tls import TlsFiles
from kit.times import ManualClock
from prsm.collab.v1 import access_pb2
from tests.support.certificates import Authority, TlsFolder
from tests.support.nats import free_port
from tests.support.serving import Identities
from worker.probe import ProbeServer

ACCESS = access_pb2.DESCRIPTOR.services_by_name["AccessService"]
_ENOUGH = 60


async def _nobody_calls(request: Any, call: Any) -> Any:
    raise AssertionError


Access = type("Access", (), {method.name: staticmethod(_nobody_calls) for method in ACCESS.methods})


class Rig:
    """A service behind mutual TLS, with a plain port for probes."""

    def __init__(self, folder: Path) -> None:
        authority = Authority()
        self.files = TlsFolder(folder / "tls", authority, "localhost")
        files = TlsFiles(str(self.files.cert), str(self.files.key), str(self.files.ca))
        clock = ManualClock()
        pipeline = Identities(folder, clock, ["collab"]).pipeline("collab", store=None, ids=RandomIds(clock))
        self.server = GrpcServer("localhost:0", pipeline, [(ACCESS, Access())], tls=files, health_listen="127.0.0.1:0")
        self.main = open_channel(f"localhost:{self.server.port}", tls=files)
        self.probes = open_channel(f"127.0.0.1:{self.server.health_port}")

    async def says(self, service: str) -> str:
        return await says(self.probes, service)


async def says(channel: grpc.aio.Channel, service: str) -> str:
    stub: Any = health_pb2_grpc.HealthStub(channel)
    try:
        answer = await stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=60)
    except grpc.aio.AioRpcError as error:
        return error.code().name
    return str(health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status))


@pytest_asyncio.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    made = Rig(tmp_path)
    await made.server.start()
    yield made
    await made.main.close()
    await made.probes.close()
    await made.server.stop(0)


async def test_a_process_is_alive_before_it_is_ready(rig: Rig) -> None:
    names = ("", ACCESS.full_name)
    assert [await rig.says(name) for name in names] == ["NOT_SERVING", "NOT_SERVING"]
    assert await rig.says("liveness") == "SERVING"
    await rig.server.set_serving(True)
    assert [await rig.says(name) for name in names] == ["SERVING", "SERVING"]
    assert [await says(rig.main, name) for name in ("", "liveness")] == ["SERVING", "SERVING"]
    assert await rig.says("prsm.nothing.v1.Nothing") == "NOT_FOUND"


async def test_while_it_drains_it_is_alive_and_not_ready(rig: Rig) -> None:
    await rig.server.set_serving(True)
    stub: Any = health_pb2_grpc.HealthStub(rig.main)
    under_way = stub.Watch(health_pb2.HealthCheckRequest())
    await under_way.read()
    draining = asyncio.create_task(rig.server.stop(_ENOUGH))
    assert (await under_way.read()).status == health_pb2.HealthCheckResponse.NOT_SERVING
    assert await rig.says("") == "NOT_SERVING"
    assert await rig.says("liveness") == "SERVING"
    assert not draining.done()
    under_way.cancel()
    await draining
    assert await rig.says("liveness") == "UNAVAILABLE"


async def test_the_port_for_probes_serves_nothing_else(rig: Rig) -> None:
    call: Any = rig.probes.unary_unary(f"/{ACCESS.full_name}/CheckAccess")
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call(b"", timeout=60)
    assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_an_address_that_is_taken_is_named(rig: Rig) -> None:
    address = f"127.0.0.1:{rig.server.health_port}"
    with pytest.raises(CannotListen, match=address):
        HealthServer(address, Health())


async def probe(*arguments: str) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "kit.rpc.probe", *arguments, stderr=asyncio.subprocess.PIPE
    )
    _, errors = await process.communicate()
    return process.returncode, errors.decode().splitlines()[-1] if errors else ""


async def test_the_probe_tells_by_its_exit_status(rig: Rig) -> None:
    target = f"127.0.0.1:{rig.server.health_port}"
    assert await probe(target) == (1, f"{target}: not serving")
    assert await probe(target, "liveness") == (0, "")
    await rig.server.set_serving(True)
    assert await probe(target) == (0, "")
    assert await probe(target, ACCESS.full_name) == (0, "")
    assert await probe(target, "nothing") == (1, f"{target} nothing: NOT_FOUND")
    assert await probe("127.0.0.1:1") == (1, "127.0.0.1:1: UNAVAILABLE")
    assert await probe(target, "liveness", "127.0.0.1:1") == (1, "127.0.0.1:1: UNAVAILABLE")
    assert (await probe())[0] == 1


def test_the_probe_loads_little() -> None:
    heavy = ("google", "pydantic", "structlog", "sqlalchemy", "nats", "aiohttp", "kit.settings", "cryptography")
    code = f"import sys, kit.rpc.probe; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "[]\n"


async def test_a_worker_answers_probes_over_tls_and_in_plain_text(tmp_path: Path) -> None:
    files = TlsFolder(tmp_path / "tls", Authority(), "localhost")
    tls = TlsFiles(str(files.cert), str(files.key), str(files.ca))
    plain = f"127.0.0.1:{free_port()}"
    server = ProbeServer("localhost:0", tls=tls, plain=plain)
    await server.start()
    async with open_channel(f"localhost:{server.port}", tls=tls) as secure, open_channel(plain) as open_:
        for channel in (secure, open_):
            assert [await says(channel, name) for name in ("", "liveness")] == ["NOT_SERVING", "SERVING"]
        await server.serving(True)
        for channel in (secure, open_):
            assert await says(channel, "") == "SERVING"
        with pytest.raises(OSError, match=plain):
            ProbeServer("localhost:0", plain=plain)
    await server.stop()
