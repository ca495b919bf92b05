"""Calling a service of the running stack as an operator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc

from cli.errors import Refused
from cli.stack.datadir import DataDir
from cli.tokens import mint
from kit.rpc.channels import open_channel
from kit.rpc.client import named

_SECONDS = 20.0
_TOKEN_SECONDS = 60


async def ask(
    data: DataDir, process: str, stub: Callable[[grpc.aio.Channel], Any], method: str, request: Any, *, key: str = ""
) -> Any:
    """The answer of an operators' method. `key` is an Idempotency-Key. Raises Refused."""
    target = data.read_endpoints().get(process, "")
    token = mint(data, "prsm-cli", scopes=("admin",), ttl=_TOKEN_SECONDS)
    metadata = (("authorization", f"Bearer {token}"), *([("idempotency-key", key)] if key else []))
    async with open_channel(target) as channel:
        try:
            return await getattr(stub(channel), method)(request, timeout=_SECONDS, metadata=metadata)
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.UNAVAILABLE:
                raise Refused(f"no stack answers at {target}: start it with prsm up", code=1) from error
            raise Refused(f"{process} refused: {named(error, process)}") from error
