"""Ports that stay ours while parts come and go."""

from __future__ import annotations

import errno
import random
import socket

from cli.errors import Refused

HOST = "127.0.0.1"
_FIRST, _LAST = 20_000, 32_000
"""Below the range from which the system takes the ports of outgoing connections."""
_TRIES = 200
_BACKLOG = 1024


class Ports:
    """Holds each port by a socket that is bound and never listens.

    A part that sets SO_REUSEADDR, as servers do, can listen beside it, again after every restart; nobody else who
    asks for a free port gets it.
    """

    def __init__(self, chance: random.Random | None = None) -> None:
        self._chance = chance or random.SystemRandom()
        self._held: list[socket.socket] = []

    def free(self) -> int:
        """Reserve a port that nobody uses. Raises Refused."""
        for _ in range(_TRIES):
            port = self._chance.randint(_FIRST, _LAST)
            held = socket.socket()
            try:
                held.bind((HOST, port))
            except OSError:
                held.close()
                continue
            # Only now: the bind above had to be refused for a port that somebody reserved like this.
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._held.append(held)
            return port
        raise Refused("no free port was found")

    def take(self, port: int) -> int:
        """Reserve this very port; 0 for any. Raises Refused when it is taken."""
        if port == 0:
            return self.free()
        held = socket.socket()
        # Connections of the last run that still linger must not stand in the way.
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            held.bind((HOST, port))
        except OSError as error:
            held.close()
            reason = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be used: {error.strerror}"
            raise Refused(f"port {port} {reason}") from error
        self._held.append(held)
        return port

    def listening(self, port: int) -> socket.socket:
        """The socket of a port that we hold, listening: connections that come while no part takes them wait."""
        (held,) = (each for each in self._held if each.getsockname()[1] == port)
        held.listen(_BACKLOG)
        return held

    def release(self) -> None:
        for held in self._held:
            held.close()
        self._held.clear()
