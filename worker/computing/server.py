"""The fork server: `python -m worker.computing.server CONTROL_FD PARENT_PID MEMORY`.

Single-threaded from its first line to its last, which is what makes forking safe. It loads modules, forks, and reaps
when it is told to: until then the id of a dead process is nobody else's, so that the worker can kill by id.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import resource
import select
import signal
import socket
import sys
from typing import NoReturn

from kit.offspring import die_with_parent
from worker.computing import child
from worker.computing.frames import COMMAND, FORK, LOAD, REAP

_AGAIN = 0.05
_OOM_SCORE = "/proc/self/oom_score_adj"


def main() -> None:
    """Serve until the worker is gone."""
    descriptor, parent, memory = (int(argument) for argument in sys.argv[1:4])
    # The worker decides when work ends, also when a terminal or a supervisor signals the whole group.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    die_with_parent(parent)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with socket.socket(fileno=descriptor) as control:
        Server(control, memory).serve()


class Server:
    """Obeys one worker."""

    def __init__(self, control: socket.socket, memory: int) -> None:
        """`memory` is what each process may hold in bytes."""
        self._control = control
        self._memory = memory
        self._living: set[int] = set()
        self._dead: set[int] = set()

    def serve(self) -> None:
        """Return when the worker has closed its end; the processes do not outlive that."""
        while True:
            # The ended ones that could not be reaped yet are looked for again soon.
            if not select.select([self._control], [], [], _AGAIN if self._dead else None)[0]:
                self._reap()
                continue
            head, descriptors = self._receive(COMMAND.size)
            if len(head) < COMMAND.size:
                break
            kind, length = COMMAND.unpack(head)
            body, _ = self._receive(length)
            if kind == LOAD:
                self._load(json.loads(body))
            elif kind == FORK:
                self._fork(descriptors[0])
            elif kind == REAP:
                self._dead.add(int(body))
            self._reap()
        for pid in self._living:
            os.kill(pid, signal.SIGKILL)

    def _receive(self, size: int) -> tuple[bytes, list[int]]:
        """So many bytes, fewer at the end of the stream, and the descriptors that came with them."""
        data, descriptors = b"", []
        while len(data) < size:
            part, passed, _, _ = socket.recv_fds(self._control, size - len(data), 1)
            if not part:
                break
            data += part
            descriptors += passed
        return data, descriptors

    def _load(self, modules: list[str]) -> None:
        # Modules stay for good: going through them again and again takes a quarter of the loading.
        gc.disable()
        for name in modules:
            try:
                importlib.import_module(name)
            except Exception as error:
                # Whoever needs it finds out what is wrong, and can say for which session.
                sys.stderr.write(f"computing: {name} cannot be loaded: {error!r}\n")
        # What is loaded is never collected, so that its pages stay shared with the processes.
        gc.collect()
        gc.freeze()
        gc.enable()

    def _fork(self, descriptor: int) -> None:
        server = os.getpid()
        try:
            pid = os.fork()
        except OSError as error:
            # No memory, or too many processes: whoever waits at the other end finds it closed. The others go on.
            sys.stderr.write(f"computing: no process could be made: {error!r}\n")
        else:
            if pid == 0:
                self._be_child(descriptor, server)
            self._living.add(pid)
        os.close(descriptor)

    def _be_child(self, descriptor: int, server: int) -> NoReturn:
        status = 1
        try:
            die_with_parent(server)
            self._control.close()
            resource.setrlimit(resource.RLIMIT_DATA, (self._memory, self._memory))
            _first_to_go()
            with socket.socket(fileno=descriptor) as connection:
                child.serve(connection)
            status = 0
        except OSError:
            pass  # The worker is gone; nobody is left to be told.
        finally:
            # Not through the server's own way out.
            os._exit(status)

    def _reap(self) -> None:
        """Take note of those that have ended; without waiting, for a killed one may take a moment."""
        for pid in [pid for pid in self._dead if os.waitpid(pid, os.WNOHANG)[0]]:
            self._dead.discard(pid)
            self._living.discard(pid)


def _first_to_go() -> None:
    """Where memory runs out, the kernel is to end this process and not the worker, whose sessions it would cost."""
    try:
        with open(_OOM_SCORE, "w") as score:
            score.write("600")
    except OSError:
        pass  # Not Linux.


if __name__ == "__main__":
    main()
