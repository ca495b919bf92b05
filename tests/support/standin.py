"""A stand-in for a part of the stack: `python -I -S standin.py MODULE`. Listens where its settings say and is healthy.

`PRSM_STANDIN_<PART>` changes that: `exit:STATUS` ends with a line on standard error, `deaf` does not end on SIGTERM,
`slow` never becomes healthy. Each adds its name to the file `PRSM_STANDIN_ENDED` when it ends.

Dozens of them are started, so it speaks just as much HTTP/2 as a gRPC health check takes, and loads next to nothing.
"""

from __future__ import annotations

import os
import selectors
import signal
import socket
import sys

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEAD = 9
"""Bytes before a frame's payload: its length (3), type, flags, stream (4). RFC 9113, section 4.1."""
DATA, HEADERS, SETTINGS, PING = 0x0, 0x1, 0x4, 0x6
ACK = END_STREAM = 0x1
END_HEADERS = 0x4
# HPACK (RFC 7541): 0x88 is `:status: 200`; 0x0f 0x10 the name `content-type`; 0x00 a name that follows.
HEAD_OF_ANSWER = b"\x88\x0f\x10\x10application/grpc"
TRAILERS = b"\x00\x0bgrpc-status\x010"
WEB_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Stopped(Exception):
    """A signal came."""


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


class Health:
    """A connection on which each health check is answered with the same status: 1 serving, 2 not serving."""

    def __init__(self, status: int) -> None:
        self._status = status
        self._received = b""
        self._greeted = False

    def answer(self, received: bytes) -> tuple[bytes, bool]:
        """What to send for what came in, and whether that was all."""
        self._received += received
        said = b""
        if not self._greeted:
            if len(self._received) < len(PREFACE):
                return b"", False
            self._received = self._received[len(PREFACE) :]
            self._greeted = True
            said += frame(SETTINGS, 0, 0)
        while len(self._received) >= HEAD:
            end = HEAD + int.from_bytes(self._received[:3], "big")
            if len(self._received) < end:
                break
            kind, flags = self._received[3], self._received[4]
            stream, payload = int.from_bytes(self._received[5:HEAD], "big"), self._received[HEAD:end]
            self._received = self._received[end:]
            if kind in (SETTINGS, PING) and not flags & ACK:
                said += frame(kind, ACK, 0, payload if kind == PING else b"")
            elif kind in (DATA, HEADERS) and flags & END_STREAM:
                said += frame(HEADERS, END_HEADERS, stream, HEAD_OF_ANSWER)
                said += frame(DATA, 0, stream, bytes([0, 0, 0, 0, 2, 0x08, self._status]))
                said += frame(HEADERS, END_HEADERS | END_STREAM, stream, TRAILERS)
        return said, False


class Web:
    """A connection with one request, which is answered with 200."""

    def __init__(self) -> None:
        self._received = b""

    def answer(self, received: bytes) -> tuple[bytes, bool]:
        self._received += received
        over = b"\r\n\r\n" in self._received
        return (WEB_ANSWER if over else b""), over


def serve(server: socket.socket, part: str, status: int) -> None:
    """Until a signal ends it."""
    waiting = selectors.DefaultSelector()
    waiting.register(server, selectors.EVENT_READ)
    while True:
        for key, _ in waiting.select():
            if key.fileobj is server:
                client, _ = server.accept()
                waiting.register(client, selectors.EVENT_READ, Web() if part == "gateway" else Health(status))
                continue
            client = key.fileobj  # type: ignore[assignment]  # only sockets are registered
            try:
                received = client.recv(65536)
                said, over = key.data.answer(received)
                client.sendall(said)
            except OSError:
                received, over = b"", True
            if over or not received:
                waiting.unregister(client)
                client.close()


def stop(*_: object) -> None:
    raise Stopped


def note_end(part: str) -> None:
    with open(os.environ["PRSM_STANDIN_ENDED"], "a") as ended:
        ended.write(part + "\n")


def main(part: str) -> None:
    behaviour = os.environ.get(f"PRSM_STANDIN_{part.upper()}", "")
    if behaviour.startswith("exit:"):
        sys.stderr.write(f"{part} has bad settings\n")
        sys.exit(int(behaviour.removeprefix("exit:")))
    try:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, (lambda *_: None) if behaviour == "deaf" else stop)
        held = os.environ.get("PRSM_GATEWAY_LISTEN_FD") if part == "gateway" else None
        port = int(os.environ[f"PRSM_{part.upper()}_LISTEN"].rpartition(":")[2])
        server = socket.socket(fileno=int(held)) if held else socket.create_server(("127.0.0.1", port))
        server.listen()
        serve(server, part, 2 if behaviour == "slow" else 1)
    except Stopped:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        note_end(part)


if __name__ == "__main__":
    name = sys.argv[1].rpartition(".")[2]
    if name != "migrate":
        main(name)
    elif os.environ.get("PRSM_STANDIN_MIGRATE"):
        sys.stderr.write("session: the disk is full\n")
        sys.exit(2)
