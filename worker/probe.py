"""The gRPC health service, for probes. A worker serves nothing else."""

from __future__ import annotations

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1._async import HealthServicer


class ProbeServer:
    """Says SERVING between `serving(True)` and `serving(False)`."""

    def __init__(self, listen: str) -> None:
        """Raises OSError when the address is taken or not ours."""
        self._server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
        self._health = HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        try:
            self.port = self._server.add_insecure_port(listen)
        except RuntimeError as error:
            raise OSError(f"cannot listen on {listen}") from error

    async def start(self) -> None:
        await self._server.start()

    async def serving(self, yes: bool) -> None:
        status = health_pb2.HealthCheckResponse.SERVING if yes else health_pb2.HealthCheckResponse.NOT_SERVING
        await self._health.set("", status)

    async def stop(self) -> None:
        await self._server.stop(0)
