"""`python -m tests.chaos`: break the real product on purpose, and prove that nothing was lost or done twice."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import shlex
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.chaos import report
from tests.chaos.disk import tidy
from tests.chaos.mutants import MUTANTS
from tests.chaos.run import DISK_MIB, Outcome, Plan, conduct, discard

_SQLITE, _POSTGRESQL, _BOTH = "sqlite", "postgresql", "both-in-turn"
_EPISODE_SECONDS = 450.0
"""About how long an episode is, where there is time for several."""
_MOST_EPISODES = 40
_STOPPED = 130


def main() -> int:
    """0 when every count is 0; 1 when something was lost, done twice or stale, or did not recover."""
    given = _arguments(sys.argv[1:])
    try:
        return asyncio.run(_run(given))
    except (KeyboardInterrupt, asyncio.CancelledError):
        return _STOPPED


def _arguments(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seconds", type=float, default=120.0, help="under faults, over all episodes")
    parser.add_argument("--sessions", type=int, default=0, help="go on until there were so many")
    parser.add_argument("--seed", type=int, default=None, help="of the schedule and of what clients do; by chance")
    parser.add_argument("--database", choices=[_SQLITE, _POSTGRESQL, _BOTH], default=_BOTH)
    parser.add_argument("--episodes", type=int, default=0, help="how many stacks, one after the other")
    parser.add_argument("--episode", type=int, default=0, help="only this one of them, from 1; others run elsewhere")
    parser.add_argument("--rate", type=float, default=1.4, help="sessions that clients begin a second")
    parser.add_argument("--faults", nargs="*", default=[], help="only types whose name contains one of these words")
    parser.add_argument(
        "--mutants",
        nargs="*",
        default=[],
        choices=sorted(MUTANTS),
        help="faults that the product has from the beginning",
    )
    parser.add_argument("--quota", action="store_true", help="mount no small disk: limit the size of files instead")
    parser.add_argument("--write", type=Path, default=None, help="page to write the figures into")
    parser.add_argument("--folder", type=Path, default=Path("build/chaos"), help="where evidence is kept")
    parser.add_argument("--keep", action="store_true", help="keep it also when all is well")
    return parser.parse_args(words)


def _plans(given: argparse.Namespace, seed: int) -> list[Plan]:
    kinds = [_SQLITE, _POSTGRESQL] if given.database == _BOTH else [given.database]
    episodes = given.episodes or max(len(kinds), len(kinds) * round(given.seconds / _EPISODE_SECONDS / len(kinds)))
    return [_plan(given, seed, kinds, number, episodes) for number in range(episodes)]


def _plan(given: argparse.Namespace, seed: int, kinds: Sequence[str], number: int, of: int) -> Plan:
    return Plan(
        number=number,
        of=of,
        seed=seed,
        database=kinds[number % len(kinds)],
        seconds=given.seconds / of,
        rate=given.rate,
        only=tuple(given.faults),
        mutants=tuple(given.mutants),
        disk_mib=0 if given.quota else DISK_MIB,
    )


async def _run(given: argparse.Namespace) -> int:
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    seed = given.seed if given.seed is not None else random.SystemRandom().randrange(1_000_000)
    tidy()
    about = await report.versions()
    folder: Path = given.folder / f"{time.strftime('%Y%m%d-%H%M%S')}-{seed}-{os.getpid()}"
    _say(f"seed {seed}; evidence in {folder}; " + ", ".join(f"{name} {value}" for name, value in about.items()))
    plans = _plans(given, seed)
    if given.episode:
        plans = [plans[given.episode - 1]]
    outcomes: list[Outcome] = []
    while plans:
        plan = plans.pop(0)
        os.makedirs(evidence := folder / plan.name)
        outcomes.append(await conduct(plan, evidence, _say))
        short = sum(outcome.sessions for outcome in outcomes) < given.sessions
        if not plans and short and len(outcomes) < _MOST_EPISODES and outcomes[-1].ok:
            kinds = [_SQLITE, _POSTGRESQL] if given.database == _BOTH else [given.database]
            plans.append(_plan(given, seed, kinds, plan.number + 1, plan.of))
    command = shlex.join(["python", "-m", "tests.chaos", *sys.argv[1:]])
    section = report.markdown(outcomes, about, command)
    _say(section)
    ok = all(outcome.ok for outcome in outcomes)
    (folder / "verdict.json").write_text(json.dumps(report.as_json(outcomes, about), indent=2) + "\n")
    for problem in report.problems(outcomes):
        _say(f"WRONG: {problem}")
    _say(f"load of this machine in the last minutes: {', '.join(f'{load:.1f}' for load in os.getloadavg())}")
    if given.write is not None and ok:
        report.write(given.write, section)
    if ok and not given.keep:
        discard(folder)
    else:
        _say(f"evidence is in {folder}")
    return 0 if ok else 1


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
