"""The supervisor, with stand-ins for its parts and the real broker."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import stat
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from pathlib import Path

import pytest

from cli.errors import Refused
from cli.stack.options import StackOptions
from cli.stack.running import run_stack
from cli.stack.stack import Stack
from tests.integration.cli.conftest import Launch, launching, lives, until
from tests.support.beside import beside_each_other
from tests.support.standin_stack import STANDIN

PARTS = ["session", "results", "collab", "billing", "library"]


async def test_it_says_where_it_answers_and_writes_it_down(launch: Launch) -> None:
    stack = await launch()
    assert await stack.ready() == f"ready: http://127.0.0.1:{stack.port}\n"
    endpoints = json.loads((stack.folder / "endpoints.json").read_text())
    assert list(endpoints) == ["gateway", *PARTS, "nats"]
    assert endpoints["gateway"] == f"http://127.0.0.1:{stack.port}"
    for name in [*PARTS, "nats"]:
        host, _, port = endpoints[name].partition(":")
        socket.create_connection((host, int(port)), timeout=60).close()
    token = stack.folder / "keys" / "nats.token"
    assert stat.S_IMODE(token.stat().st_mode) == 0o600
    assert stat.S_IMODE(token.parent.stat().st_mode) == 0o700
    assert token.read_text() not in (stack.folder / "endpoints.json").read_text()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_stops_edge_workers_services_broker(
    launch: Launch, tmp_path: Path, number: signal.Signals
) -> None:
    stack = await launch()
    await stack.ready()
    assert len(stack.seen) == 9
    stack.process.send_signal(number)
    assert await stack.ended() == (0, "")
    assert stack.left() == []
    ended = (tmp_path / "ended").read_text().split()
    assert ended[:3] == ["gateway", "worker", "worker"]
    assert sorted(ended[3:]) == sorted(PARTS)
    assert not (stack.folder / "endpoints.json").exists()


async def test_a_part_that_dies_is_started_again_on_its_port(launch: Launch) -> None:
    stack = await launch()
    await stack.ready()
    before = json.loads((stack.folder / "endpoints.json").read_text())
    victim = stack.pid_of("services.collab")
    os.kill(victim, signal.SIGKILL)
    assert await stack.said() == "prsm: collab ended with SIGKILL; starting it again in 0.01 s\n"
    address = ("127.0.0.1", int(before["collab"].rpartition(":")[2]))

    def answers() -> bool:
        with socket.socket() as client:
            return client.connect_ex(address) == 0

    await until(answers)
    assert stack.pid_of("services.collab") != victim
    stack.seen |= stack.parts()
    stack.process.terminate()
    assert await stack.ended() == (0, "")
    assert stack.left() == []


async def test_a_directory_serves_one_stack_at_a_time(launch: Launch) -> None:
    first = await launch()
    await first.ready()
    second = await launch()
    assert await second.ended() == (
        2,
        f"prsm: the data directory {first.folder} is in use by another prsm up (process {first.process.pid})\n",
    )
    assert (first.folder / "endpoints.json").exists()
    assert all(lives(pid) for pid in first.seen)


async def test_a_directory_is_free_again_when_its_stack_was_killed(launch: Launch) -> None:
    first = await launch()
    await first.ready()
    first.process.kill()
    await first.ended()
    second = await launch()
    assert (await second.ready()).startswith("ready: ")
    await until(lambda: first.left() == [])


async def test_a_taken_port_is_refused(launch: Launch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        stack = await launch(port=port)
        assert await stack.ended() == (2, f"prsm: port {port} is in use\n")


async def test_a_directory_that_cannot_be_written_is_refused(launch: Launch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    stack = await launch(folder=tmp_path / "file" / "data")
    status, said = await stack.ended()
    assert status == 2
    assert said == f"prsm: cannot write to the data directory {tmp_path / 'file' / 'data'}: Not a directory\n"


@pytest.mark.parametrize("part", ["session", "worker", "gateway"])
async def test_a_part_with_bad_settings_ends_the_start(launch: Launch, part: str) -> None:
    stack = await launch(**{part: "exit:2"})
    status, said = await stack.ended()
    assert status == 2
    line = said.splitlines()[-1]
    log = stack.folder / "logs"
    assert line.endswith((f"see {log / f'{part}.log'}", f"see {log / f'{part}-1.log'}", f"see {log / f'{part}-2.log'}"))
    assert f"does not start: {part} has bad settings" in line
    assert stack.parts() == {}


async def test_bad_settings_end_the_start_at_once_and_are_told_before_the_other_parts_end(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """However long the databases take: here they would never be ready."""
    monkeypatch.setenv("PRSM_STANDIN_WORKER", "exit:2")
    monkeypatch.setenv("PRSM_STANDIN_ENDED", str(tmp_path / "ended"))
    told: list[tuple[str, bool]] = []

    def program(module: str) -> tuple[str, ...]:
        endless = (sys.executable, "-S", "-c", "import time; time.sleep(600)")
        return endless if module == "cli.migrate" else (sys.executable, "-I", "-S", str(STANDIN), module)

    def tell(line: str) -> None:
        told.append((line, stack.parts["nats"].pid is not None))

    options = StackOptions(tmp_path / "data", 0, workers=1)
    stack = Stack(options, say=lambda _line: None, program=program)
    with pytest.raises(Refused, match=r"worker-1 does not start: worker has bad settings; see ") as refused:
        await run_stack(stack, tell=tell)
    assert told == [(f"{refused.value}; stopping the other parts", True)]
    assert {part.pid for part in stack.parts.values()} == {None}


async def test_a_part_that_crashes_again_and_again_ends_the_start(launch: Launch) -> None:
    stack = await launch(billing="exit:1")
    status, said = await stack.ended()
    assert status == 2
    *retries, line = said.splitlines()
    assert [retry.startswith("prsm: billing ended with status 1; starting it again") for retry in retries] == [True] * 2
    assert line.startswith("prsm: billing does not start: billing has bad settings; see ")


async def test_databases_that_cannot_be_migrated_end_the_start(launch: Launch) -> None:
    stack = await launch(migrate="fail")
    status, said = await stack.ended()
    assert status == 2
    log = stack.folder / "logs" / "migrate.log"
    assert said == f"prsm: the databases cannot be brought up to date: session: the disk is full; see {log}\n"


async def test_a_signal_during_the_start_ends_it_cleanly(launch: Launch) -> None:
    stack = await launch(library="slow")
    await until(lambda: "services.library" in " ".join(stack.parts().values()))
    stack.seen |= stack.parts()
    stack.process.terminate()
    assert await stack.ended() == (0, "")
    assert stack.left() == []


async def test_one_wish_delivered_twice_is_still_a_clean_stop(launch: Launch, tmp_path: Path) -> None:
    stack = await launch()
    await stack.ready()
    stack.process.send_signal(signal.SIGINT)
    ended = tmp_path / "ended"
    await until(lambda: ended.exists() and "gateway" in ended.read_text())
    stack.process.send_signal(signal.SIGINT)
    assert await stack.ended() == (0, "")
    assert stack.left() == []
    assert sorted(ended.read_text().split()) == sorted(["gateway", "worker", "worker", *PARTS])


async def test_a_later_signal_kills(launch: Launch, tmp_path: Path) -> None:
    stack = await launch(worker="deaf", force_after=0)
    await stack.ready()
    stack.process.terminate()
    ended = tmp_path / "ended"
    await until(lambda: ended.exists() and "gateway" in ended.read_text())
    stack.process.terminate()
    status, _ = await stack.ended()
    assert status == 137
    assert stack.left() == []
    assert "session" not in ended.read_text()


async def test_parts_do_not_outlive_their_supervisor(launch: Launch) -> None:
    stack = await launch(worker="deaf")
    await stack.ready()
    stack.process.kill()
    await stack.ended()
    await until(lambda: stack.left() == [])


async def a_part_that_never_becomes_healthy_ends_the_start(launch: Launch) -> None:
    stack = await launch(startup=5, library="slow")
    status, said = await stack.ended()
    assert status == 2
    assert said == f"prsm: library was not healthy after 5 s; see {stack.folder / 'logs' / 'library.log'}\n"
    assert stack.parts() == {}


async def what_does_not_end_is_killed_in_time(launch: Launch) -> None:
    stack = await launch(worker="deaf", results="deaf")
    await stack.ready()
    stack.process.terminate()
    async with asyncio.timeout(60):
        status, _ = await stack.ended()
    assert status == 0
    assert stack.left() == []


Scenario = Callable[[Launch], Coroutine[None, None, None]]
LONG: tuple[Scenario, ...] = (a_part_that_never_becomes_healthy_ends_the_start, what_does_not_end_is_killed_in_time)
"""Stacks that wait for seconds until their patience is over."""


@pytest.fixture(scope="module")
async def under_way(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Mapping[Scenario, asyncio.Task[None]]]:
    """The scenarios, which wait beside each other."""

    async def play(scenario: Scenario) -> None:
        async with launching(tmp_path_factory.mktemp("long")) as launch:
            await scenario(launch)

    async with beside_each_other({scenario: play(scenario) for scenario in LONG}) as tasks:
        yield tasks


@pytest.mark.parametrize("scenario", LONG, ids=lambda scenario: scenario.__name__)
async def test_in_the_end(scenario: Scenario, under_way: Mapping[Scenario, asyncio.Task[None]]) -> None:
    await under_way[scenario]
