"""The test itself, on the client's host: `python -m tests.multihost.run FOLDER [FAULT...]`."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

import aiohttp

from kit.auth.tokens import TokenRules, mint
from kit.times import SystemClock
from services.session.settings import SessionSettings
from tests.multihost import faults, figures, report
from tests.multihost.cluster import Cluster
from tests.multihost.journeys import Person
from tests.multihost.layout import Layout, Secrets
from tests.multihost.requests import Client, Journal

_CALM = 5.0
_PERIOD = 4.0
_PEOPLE = ("ada", "bob", "cyd")
_LONGEST = 540.0
_LEASE = float(SessionSettings.model_fields["lease_seconds"].default)


async def conduct(folder: Path, only: list[str]) -> bool:
    """Whether every request was answered and all figures add up; says what happened."""
    shared = folder / "shared"
    shared.mkdir()
    layout = Layout(Secrets.create(folder / "secrets"), shared)
    cluster = Cluster(folder, layout)
    journal = Journal()
    began = time.monotonic()
    try:
        planned = faults.schedule(_LEASE, only)
        await cluster.start()
        _say(f"{len(cluster.programs)} programs on their hosts after {time.monotonic() - began:.0f} s")
        async with aiohttp.ClientSession() as http:
            people = _people(layout, cluster, http, journal)
            phases, wrong = await _live(cluster, people, planned)
            _say(report.tables(journal.records, phases))
            for cause in report.causes(journal.records, phases):
                _say(f"  {cause}")
            wrong += report.failures(journal.records)
            if not wrong:
                wrong += [fault for person in people for fault in await figures.check(person)]
            sessions = [session for person in people for session in person.sessions]
        statuses = await cluster.stop()
        wrong += [f"{name} ended with {status}" for name, status in statuses.items() if status != 0]
    except AssertionError as error:
        wrong, sessions = [str(error)], []
    finally:
        await cluster.close()
        cluster.keep_logs()
    for fault in wrong:
        _say(f"WRONG: {fault}")
    if wrong:
        _say(cluster.report())
    else:
        lost = sum(session.taken_over for session in sessions)
        _say(f"{len(sessions)} sessions ended as they should, {lost} of them after a worker was lost on the way")
        _say(f"money, histories and numbers agree; {time.monotonic() - began:.0f} s in all")
    _say(f"load of this machine in the last minutes: {', '.join(f'{load:.1f}' for load in os.getloadavg())}")
    return not wrong


async def _live(
    cluster: Cluster, people: list[Person], planned: list[faults.Fault]
) -> tuple[list[faults.Phase], list[str]]:
    """People go about their business while things break; the phases, and what went wrong for them."""
    await asyncio.gather(*(person.arrive() for person in people))
    leaving = asyncio.Event()
    living = [asyncio.create_task(person.go(leaving), name=person.client.user) for person in people]
    try:
        phases = await faults.go_through(cluster, planned, calm=_CALM)
    finally:
        leaving.set()
        ended = await asyncio.gather(*living, return_exceptions=True)
    return phases, [f"{task.get_name()}: {_flat(e)}" for task, e in zip(living, ended, strict=True) if e]


def _flat(error: BaseException) -> str:
    if isinstance(error, BaseExceptionGroup):
        return "; ".join(_flat(each) for each in error.exceptions)
    return repr(error)


def _people(layout: Layout, cluster: Cluster, http: aiohttp.ClientSession, journal: Journal) -> list[Person]:
    rules = TokenRules(issuer=layout.issuer, audience=layout.audience)
    made = []
    for number, user in enumerate(_PEOPLE):
        token = mint(layout.secrets.user_key, rules, SystemClock(), ttl=3600, claims={"sub": user})
        friend = _PEOPLE[(number + 1) % len(_PEOPLE)]
        made.append(Person(Client(http, cluster.url, user, token, journal), friend, _PERIOD))
    return made


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def _unless_told(work: asyncio.Task[bool]) -> bool:
    """Ends the work in order when this process is told to end."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, work.cancel)
    async with asyncio.timeout(_LONGEST):
        return await work


async def main(folder: Path, only: list[str]) -> int:
    try:
        return 0 if await _unless_told(asyncio.create_task(conduct(folder, only))) else 1
    except asyncio.CancelledError:
        _say("stopped")
    except TimeoutError:
        _say(f"WRONG: not over after {_LONGEST:.0f} s")
    return 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main(Path(sys.argv[1]), sys.argv[2:])))
