"""The gRPC health service, for probes. A worker serves nothing else."""

from __future__ import annotations

from kit.rpc.health import CannotListen, Health, HealthServer
from kit.rpc.tls import TlsFiles


class ProbeServer:
    """Says SERVING between `serving(True)` and `serving(False)`, and that the process lives all the time."""

    def __init__(self, listen: str, *, tls: TlsFiles | None = None, plain: str = "") -> None:
        """`plain` is a second host:port, always without TLS. Raises OSError when an address is taken or not ours."""
        self._health = Health()
        try:
            self._servers = [HealthServer(listen, self._health, tls=tls)]
            if plain:
                self._servers.append(HealthServer(plain, self._health))
        except CannotListen as error:
            raise OSError(str(error)) from error
        self.port = self._servers[0].port

    async def start(self) -> None:
        await self._health.begin()
        for server in self._servers:
            await server.start()

    async def serving(self, yes: bool) -> None:
        await self._health.set_serving(yes)

    async def stop(self) -> None:
        for server in self._servers:
            await server.stop()
