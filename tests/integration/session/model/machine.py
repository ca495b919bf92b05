"""The state machine: random steps, each command of them held against the model, some of them sent at once.

What is drawn must not depend on what the service did, for when several want the same thing at once nobody knows who
will be first. So there is one rule, always open, and a step that finds nothing to do does what comes before it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, ClassVar

from hypothesis.stateful import RuleBasedStateMachine, rule

from tests.integration.session.model import commands as do
from tests.integration.session.model import labour, truth
from tests.integration.session.model.draws import STEPS
from tests.integration.session.model.figures import S
from tests.integration.session.model.floor import Floor
from tests.integration.session.model.steps import Steps
from tests.integration.session.model.world import World
from tests.support.modelling import Command, Disagreement, Seen, explained


class Machine(Steps, RuleBasedStateMachine):
    """See the module."""

    floor: ClassVar[Floor]

    def __init__(self) -> None:
        super().__init__()
        floor = self.floor
        self._driver = floor.run(floor.renew())
        clock = floor.stand.clock
        self.world = World(clock.now(), clock.monotonic())
        self._ends = truth.Ends()
        self._commands = 0
        self._sound = True

    @rule(step=STEPS)
    def step(self, step: tuple[str, dict[str, Any]]) -> None:
        name, arguments = step
        getattr(self, name)(**arguments)

    def act(self, *commands: Command[World]) -> None:
        """Send commands at once; whatever came of it must be what one order of them would have given."""
        if not any(command.felt for command in commands):
            for command in commands:
                command.judge(self.world, self.floor.run(self._driver.send(command)))
            return
        self._sound = False
        self._commands += 1
        whole = len(commands) > 1 or self._commands % self.floor.audited == 0
        seen, found = self.floor.run(self._send(commands, whole=whole))
        self._ends.check(found["sessions"])

        def agree(world: World) -> None:
            truth.compare(world, self._driver.books, found["sessions"])
            if whole:
                truth.audit(world, found)

        self.world = explained(self.world, commands, seen, agree)
        if self.floor.faults:
            raise Disagreement(f"logged: {self.floor.faults}")
        self._sound = True

    async def _send(
        self, commands: Sequence[Command[World]], *, whole: bool
    ) -> tuple[list[Seen], dict[str, truth.Rows]]:
        seen = await asyncio.gather(*(self._driver.send(command) for command in commands))
        return list(seen), await truth.read(self.floor.db, whole=whole)

    def teardown(self) -> None:
        """At the end billing is there, and everything that ended is settled before long."""
        if not self._sound:
            return
        self.act(do.Outage())
        # Past whatever the clock was set back by; then what the first round ends, the second settles.
        for wait in (11 * 3600 * S, 3 * S):
            self.act(do.Advance(wait))
            for replica in (0, 1):
                self.act(do.Sweep(replica))
        self._commands = self.floor.audited - 1
        self.act(labour.Claim("w9", ("nothing",)))
        unsettled = [s.session_id for s in self.world.sessions.values() if s.terminal and not s.settled]
        if unsettled:
            raise Disagreement(f"never settled: {unsettled}")
