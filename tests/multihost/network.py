"""Hosts that are Linux network namespaces, plugged into a bridge in a namespace of its own.

Every host has one interface. Its other end is a port of the switch: a port that is down is a cable that was pulled.
Addresses are resolved to hardware addresses once and for all, so that traffic to a host that is cut off vanishes as it
does behind a router, instead of being refused by the sender's own machine. Nothing here touches the machine's own
interfaces, routes or names.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PREFIX = "prsm-mh-"
SWITCH = f"{PREFIX}switch"
NETWORK = "10.213"
_NAMES = Path("/etc/netns")
_PATIENCE = 5.0


@dataclass(frozen=True, slots=True)
class Host:
    """A machine. `services` are programs with an address of their own on it, as pods have."""

    name: str
    number: int
    services: tuple[str, ...] = ()

    @property
    def namespace(self) -> str:
        return f"{PREFIX}{self.name}"

    @property
    def address(self) -> str:
        return f"{NETWORK}.{self.number}.1"

    def address_of(self, service: str) -> str:
        """Where a service of this host listens."""
        return f"{NETWORK}.{self.number}.{10 + self.services.index(service)}"

    @property
    def addresses(self) -> list[str]:
        return [self.address, *(self.address_of(service) for service in self.services)]

    @property
    def hardware(self) -> str:
        return f"02:00:00:00:{self.number:02x}:01"


def build(hosts: Sequence[Host]) -> None:
    """Create the namespaces, the switch, a cable for each host, and the names that all of them know."""
    _ip([f"netns add {name}" for name in (SWITCH, *(host.namespace for host in hosts))])
    ports = ["link set lo up", "link add switch type bridge", "link set switch up"]
    for host in hosts:
        ports.append(f"link add {host.name} type veth peer name eth0 netns {host.namespace}")
        ports.append(f"link set {host.name} master switch up")
    _ip(ports, inside=SWITCH)
    names = _names(hosts)
    for host in hosts:
        others = [other for other in hosts if other is not host]
        _ip(
            [
                "link set lo up",
                f"link set eth0 address {host.hardware}",
                *(f"address add {address}/16 dev eth0" for address in host.addresses),
                "link set eth0 up",
                *(
                    f"neighbour add {address} lladdr {other.hardware} nud permanent dev eth0"
                    for other in others
                    for address in other.addresses
                ),
            ],
            inside=host.namespace,
        )
        files = _NAMES / host.namespace
        files.mkdir(parents=True)
        (files / "hosts").write_text(names)
        (files / "resolv.conf").write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")


def _names(hosts: Iterable[Host]) -> str:
    """A hosts file: every host by its name, and every service with all its addresses."""
    lines = ["127.0.0.1 localhost"]
    for host in hosts:
        lines.append(f"{host.address} {host.name}")
        lines += [f"{host.address_of(service)} {service}" for service in host.services]
    return "\n".join(lines) + "\n"


def cut(host: Host) -> None:
    """Pull the host's cable."""
    _ip([f"link set {host.name} down"], inside=SWITCH)


def mend(host: Host) -> None:
    """Plug it in again."""
    _ip([f"link set {host.name} up"], inside=SWITCH)


def inside(host: Host, command: Sequence[str]) -> list[str]:
    """The command line that runs `command` on a host."""
    return [_program("ip"), "netns", "exec", host.namespace, *command]


def remove() -> list[str]:
    """End every process in our namespaces and remove them, also those of a run that was killed; what was found."""
    found = [name for name in _namespaces() if name.startswith(PREFIX)]
    for name in found:
        _end(name)
    if found:
        _ip([f"netns delete {name}" for name in found])
    if _NAMES.is_dir():
        for folder in _NAMES.glob(f"{PREFIX}*"):
            shutil.rmtree(folder)
        with suppress(OSError):  # Others may keep files there.
            _NAMES.rmdir()
    return found


def missing() -> list[str]:
    """What this machine lacks, in words."""
    lacks = []
    if os.geteuid() != 0:
        lacks.append("root (network namespaces and links are made)")
    for program, package in {"ip": "iproute2", "setpriv": "util-linux"}.items():
        if shutil.which(program) is None:
            lacks.append(f"the program {program} (package {package})")
    if not lacks:
        lacks += _unable()
    return lacks


def _unable() -> list[str]:
    probe = f"{PREFIX}probe"
    steps = [["netns", "add", probe], ["-n", probe, "link", "add", "probe", "type", "bridge"]]
    steps.append(["-n", probe, "link", "add", "one", "type", "veth", "peer", "name", "two"])
    try:
        for step in steps:
            done = subprocess.run([_program("ip"), *step], capture_output=True, text=True, check=False)
            if done.returncode != 0:
                return [f"a kernel that permits `ip {' '.join(step)}`: {done.stderr.strip()}"]
    finally:
        subprocess.run([_program("ip"), "netns", "delete", probe], capture_output=True, check=False)
    return []


def _namespaces() -> list[str]:
    listed = subprocess.run([_program("ip"), "netns", "list"], capture_output=True, text=True, check=True).stdout
    return [line.split()[0] for line in listed.splitlines() if line.strip()]


def _end(namespace: str) -> None:
    until = time.monotonic() + _PATIENCE
    while pids := _pids(namespace):
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if time.monotonic() > until:
            raise RuntimeError(f"processes {pids} in {namespace} do not end")
        time.sleep(0.05)


def _pids(namespace: str) -> list[int]:
    listed = subprocess.run(
        [_program("ip"), "netns", "pids", namespace], capture_output=True, text=True, check=True
    ).stdout
    return [int(pid) for pid in listed.split() if int(pid) != os.getpid()]


def _ip(commands: Iterable[str], *, inside: str = "") -> None:
    arguments = [_program("ip"), *(["-n", inside] if inside else []), "-batch", "-"]
    text = "".join(f"{command}\n" for command in commands)
    done = subprocess.run(arguments, input=text, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"ip in {inside or 'the root namespace'}: {done.stderr.strip()}")


def _program(name: str) -> str:
    return shutil.which(name) or name
