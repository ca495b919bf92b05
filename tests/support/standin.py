"""A stand-in for a part of the stack: `python standin.py MODULE`. Listens where its settings say and is healthy.

`PRSM_STANDIN_<PART>` changes that: `exit:STATUS` ends with a line on standard error, `deaf` does not end on SIGTERM,
`slow` never becomes healthy. Each adds its name to the file `PRSM_STANDIN_ENDED` when it ends.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys

import grpc


class Health(grpc.GenericRpcHandler):
    """Answers every health check with the same status: 1 serving, 2 not serving."""

    def __init__(self, status: int) -> None:
        self._answer = bytes([0x08, status])

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[bytes, bytes]:
        async def check(_request: bytes, _context: object) -> bytes:
            return self._answer

        return grpc.unary_unary_rpc_method_handler(check)


async def http(port: int) -> asyncio.Server:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()

    held = os.environ.get("PRSM_GATEWAY_LISTEN_FD")
    if held:
        return await asyncio.start_server(answer, sock=socket.socket(fileno=int(held)))
    return await asyncio.start_server(answer, "127.0.0.1", port)


def note_end(part: str) -> None:
    with open(os.environ["PRSM_STANDIN_ENDED"], "a") as ended:
        ended.write(part + "\n")


async def main(part: str) -> None:
    behaviour = os.environ.get(f"PRSM_STANDIN_{part.upper()}", "")
    if behaviour.startswith("exit:"):
        sys.stderr.write(f"{part} has bad settings\n")
        sys.exit(int(behaviour.removeprefix("exit:")))
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, (lambda: None) if behaviour == "deaf" else stop.set)
    listen = os.environ[f"PRSM_{part.upper()}_LISTEN"]
    if part == "gateway":
        web = await http(int(listen.rpartition(":")[2]))
        await stop.wait()
        web.close()
        note_end(part)
        return
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers((Health(2 if behaviour == "slow" else 1),))
    server.add_insecure_port(listen)
    await server.start()
    await stop.wait()
    await server.stop(0.5)
    note_end(part)


if __name__ == "__main__":
    name = sys.argv[1].rpartition(".")[2]
    if name != "migrate":
        asyncio.run(main(name))
    elif os.environ.get("PRSM_STANDIN_MIGRATE"):
        sys.stderr.write("session: the disk is full\n")
        sys.exit(2)
