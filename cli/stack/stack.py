"""The whole product on one machine: started in the right order, watched, and stopped in the other."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Iterable, Mapping

from cli.errors import Refused
from cli.stack import nats
from cli.stack.datadir import DataDir
from cli.stack.environment import SERVICES, Addresses, Environments
from cli.stack.options import StackOptions
from cli.stack.part import Part, PartSpec, Patience, Tier, end_group, last_line, spawn
from cli.stack.ports import Ports
from cli.stack.probes import ready, serving

_GRACE: Mapping[Tier, float] = {Tier.EDGE: 2.0, Tier.WORKER: 3.0, Tier.SERVICE: 3.0, Tier.BROKER: 1.5}
"""Seconds that the parts of a tier have to end; together they stay under the ten that the whole stack has."""


def python_module(module: str) -> tuple[str, ...]:
    """The command line that runs a module with this interpreter."""
    # -P: files in the user's current directory must not stand in for modules.
    return (sys.executable, "-P", "-m", module)


def _require_envoy() -> None:
    """Raises Refused with the cure where there is no Envoy."""
    from deploy.envoy.program import find_envoy

    try:
        find_envoy()
    except FileNotFoundError as error:
        raise Refused(str(error)) from None


class Stack:
    """Use `start`, then `stop`, on one event loop, in the main thread."""

    def __init__(
        self,
        options: StackOptions,
        *,
        say: Callable[[str], None],
        tell: Callable[[str], None] = lambda _line: None,
        patience: Patience | None = None,
        program: Callable[[str], tuple[str, ...]] = python_module,
    ) -> None:
        """`say` takes each line that the user should see, `tell` those on how far the start has come; `program` gives
        the command line of a module."""
        self.data = DataDir(options.data_dir)
        self._options = options
        self._say = say
        self._tell = tell
        self._patience = patience or Patience()
        self._program = program
        self._ports = Ports()
        self._lock: int | None = None
        self._parts: dict[str, Part] = {}

    @property
    def url(self) -> str:
        """Where the running stack answers."""
        return self._addresses.endpoints()["gateway"]

    @property
    def addresses(self) -> Addresses:
        """The ports of the parts, once `start` has chosen them."""
        return self._addresses

    @property
    def parts(self) -> Mapping[str, Part]:
        """The parts that were begun, by name."""
        return self._parts

    async def start(self) -> None:
        """Return when every part is healthy. Raises Refused; then `stop` must still be called."""
        if self._options.edge == "envoy":
            _require_envoy()
        self.data.create()
        self._lock = self.data.lock()
        self.data.endpoints.unlink(missing_ok=True)
        self._addresses = self._choose_ports()
        from cli.stack.keys import ensure_keys

        ensure_keys(self.data)
        environments = Environments(
            data=self.data,
            addresses=self._addresses,
            inherited=os.environ,
            database_url=self._options.database_url,
            initial_grant=self._options.initial_grant,
        )
        environments.look()
        # The broker, the workers and the edge wait for services by themselves; only the services need the databases.
        early = [self._broker(), *self._workers(environments), self._edge(environments)]
        self._tell(f"starting; logs are in {self.data.logs}")
        async with asyncio.TaskGroup() as group:
            migrated = group.create_task(self._migrate(environments))
            self._begin(early)
            # One that ends for its settings ends the start at once, however long the databases take.
            watched = {part: group.create_task(part.refused()) for part in self._parts.values()}
            await migrated
            self._tell("the databases are up to date")
            self._begin(self._services(environments))
            edge = self._parts[self._options.edge]
            others = [part for part in self._parts.values() if part is not edge]
            for part in others:
                if part in watched:
                    watched[part].cancel()
            await asyncio.wait([group.create_task(self._healthy(part)) for part in others])
            # It asks every service whenever it is asked itself, and is not ready before they are.
            watched[edge].cancel()
            await self._healthy(edge)
        self.data.write_endpoints(self._addresses.endpoints())

    async def _healthy(self, part: Part) -> None:
        await part.healthy()
        self._tell(f"{part.spec.name} is up")

    async def stop(self) -> None:
        """Edge, workers, services, broker; nothing is left afterwards."""
        self._withdraw()
        for tier in Tier:
            parts = [part for part in self._parts.values() if part.spec.tier is tier]
            await asyncio.gather(*(part.stop(_GRACE[tier]) for part in parts))
        self._close()

    async def kill(self) -> None:
        """End everything at once."""
        self._withdraw()
        await asyncio.gather(*(part.kill() for part in self._parts.values()))
        self._close()

    def _withdraw(self) -> None:
        if self._lock is not None:  # Without the lock the file is another stack's.
            self.data.endpoints.unlink(missing_ok=True)

    def _close(self) -> None:
        self._ports.release()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _choose_ports(self) -> Addresses:
        gateway = self._ports.take(self._options.port)
        workers = range(1, self._options.workers + 1)
        edge = self._options.edge
        parts = [edge, *SERVICES, *(f"worker-{number}" for number in workers)] if self._options.metrics else []
        return Addresses(
            gateway=gateway,
            services={name: self._ports.free() for name in SERVICES},
            nats=self._ports.free(),
            nats_monitor=self._ports.free(),
            workers=tuple(self._ports.free() for _ in workers),
            metrics={part: self._ports.free() for part in parts},
            admin=self._ports.free() if edge == "envoy" else 0,
        )

    def _begin(self, specs: Iterable[PartSpec]) -> None:
        assert self._lock is not None
        for spec in specs:
            log = self.data.fresh_log(spec.name)
            part = Part(spec, log=log, lock=self._lock, say=self._say, patience=self._patience)
            self._parts[spec.name] = part
            part.start()

    async def _migrate(self, environments: Environments) -> None:
        assert self._lock is not None
        log = self.data.fresh_log("migrate")
        argv = [*self._program("cli.migrate"), *SERVICES]
        process = await spawn(argv, environments.migration(), log, self._lock)
        try:
            async with asyncio.timeout(self._patience.startup):
                status = await process.wait()
        except TimeoutError:
            raise Refused(f"the databases were not ready after {self._patience.startup:g} s; see {log}") from None
        finally:
            end_group(process)
            await process.wait()
        if status != 0:
            raise Refused(f"the databases cannot be brought up to date: {last_line(log)}; see {log}")

    def _broker(self) -> PartSpec:
        port, monitor = self._addresses.nats, self._addresses.nats_monitor
        sync = os.environ.get("PRSM_NATS_SYNC_INTERVAL", "2m")
        config = nats.write_config(self.data, port, sync_interval=sync, monitor=monitor)
        argv = (str(nats.find_server()), "-c", str(config))

        async def probe() -> bool:
            return await nats.answers(port)

        async def beyond_help() -> bool:
            return await nats.stuck(monitor)

        return PartSpec("nats", Tier.BROKER, argv, {}, probe, beyond_help=beyond_help)

    def _services(self, environments: Environments) -> list[PartSpec]:
        return [
            PartSpec(name, Tier.SERVICE, self._program(f"services.{name}"), environments.service(name), serving(port))
            for name, port in self._addresses.services.items()
        ]

    def _workers(self, environments: Environments) -> list[PartSpec]:
        return [
            PartSpec(
                f"worker-{number + 1}",
                Tier.WORKER,
                self._program("worker"),
                environments.worker(number),
                serving(port),
            )
            for number, port in enumerate(self._addresses.workers)
        ]

    def _edge(self, environments: Environments) -> PartSpec:
        probe = ready(self._addresses.gateway)
        if self._options.edge == "gateway":
            # While a gateway is started again, nobody is refused: connections wait at the socket, which stays ours.
            listening = self._ports.listening(self._addresses.gateway).fileno()
            environment = environments.gateway(listening)
            return PartSpec("gateway", Tier.EDGE, self._program("gateway"), environment, probe, (listening,))
        self.data.envoy.mkdir(mode=0o700, exist_ok=True)
        argv = (*self._program("deploy.envoy"), str(self.data.envoy))
        return PartSpec("envoy", Tier.EDGE, argv, environments.envoy(), probe)
