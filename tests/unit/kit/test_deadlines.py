"""Every call that leaves a process has a deadline: read off the source, so that none is forgotten."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[3]
_CALLERS = ("kit", "services", "worker", "gateway")
_PEER = frozenset({"call", "read", "stream"})
"""Methods of kit's Peer; its users keep one in an attribute whose name ends so."""
_PEERS = ("peer", "_collab", "_billing", "_library", "_session", "_results")
_NATS = frozenset({"fetch", "request"})
"""What waits for NATS by itself; the rest goes through the JetStream context, which has a time-out for all."""


Nodes = list[ast.AST]


def nodes_of(text: str) -> Nodes:
    """Those that matter here, of a module."""
    of_interest = (ast.Assign, ast.AnnAssign, ast.Call, ast.arg)
    return [node for node in ast.walk(ast.parse(text)) if isinstance(node, of_interest)]


@functools.cache
def sources() -> list[tuple[Path, Nodes]]:
    paths = [path for part in _CALLERS for path in sorted((_ROOT / part).rglob("*.py"))]
    return [(path.relative_to(_ROOT), nodes_of(path.read_text())) for path in paths]


def calls(nodes: Nodes) -> Iterator[ast.Call]:
    return (node for node in nodes if isinstance(node, ast.Call))


def keywords(call: ast.Call) -> set[str | None]:
    return {keyword.arg for keyword in call.keywords}


def name_of(node: ast.AST) -> str:
    """The last name of `a.b.c`."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def stubs_of(nodes: Nodes) -> set[str]:
    """Names that hold a stub or one of a channel's callables: assigned from `...Stub(...)`, `unary_unary(...)` and so
    on, or annotated with a stub's class."""
    makers = {"unary_unary", "unary_stream", "stream_unary", "stream_stream"}
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Call):
            made = name_of(node.value.func)
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if made.endswith("Stub") or made in makers:
                found.update(name_of(target) for target in targets)
        if isinstance(node, ast.arg) and node.annotation is not None and "Stub" in ast.unparse(node.annotation):
            found.update({node.arg, f"_{node.arg}"})
    return found


def unbounded(nodes: Nodes) -> list[str]:
    """What in a module calls out without a deadline."""
    stubs = stubs_of(nodes)
    found = []
    for call in calls(nodes):
        func = call.func
        owner = func.value if isinstance(func, ast.Attribute) else None
        to_peer = isinstance(func, ast.Attribute) and func.attr in _PEER and name_of(owner or func).endswith(_PEERS)
        # `stub.Method(...)`, and a callable made of a channel that is called itself.
        to_stub = (owner is not None and name_of(owner) in stubs and name_of(func)[:1].isupper()) or (
            isinstance(func, ast.Name) and func.id in stubs
        )
        # A method handed over by name, as Peer does, and the gateway's callers.
        to_method = name_of(func) in {"method", "caller"} and "metadata" in keywords(call)
        to_nats = owner is not None and name_of(func) in _NATS and _is_nats(owner)
        context = name_of(func) == "jetstream" and owner is not None and name_of(owner) == "_client"
        if (to_peer or to_stub or to_method or to_nats or context) and "timeout" not in keywords(call):
            found.append(f"line {call.lineno}: {ast.unparse(call)[:80]}")
    return found


def _is_nats(owner: ast.expr) -> bool:
    held = owner.value if isinstance(owner, ast.Subscript) else owner
    return name_of(held).lower().endswith(("client", "nc", "subscription", "subscriptions"))


def test_every_call_to_another_process_has_a_deadline() -> None:
    found = {str(path): faults for path, nodes in sources() if (faults := unbounded(nodes))}
    assert not found


def test_there_is_something_to_look_at() -> None:
    seen = sum(1 for _, nodes in sources() for call in calls(nodes) if "timeout" in keywords(call))
    assert seen > 40


@pytest.mark.parametrize(
    "source",
    [
        "await self._peer.call(self._stub.Get, request)",
        "await self._library_peer.read(self._stub.Get, request)",
        "stub = ledger_pb2_grpc.LedgerServiceStub(channel)\nawait stub.Settle(request)",
        "class A:\n def __init__(self, stub: LedgerServiceAsyncStub): self._stub = stub\n"
        " async def f(self): await self._stub.Settle(request)",
        "check: Any = channel.unary_unary('/a/b')\nawait check(b'')",
        "call = plan.caller(message, metadata=metadata)",
        "self._js = self._client.jetstream()",
        "await self._subscriptions[engine].fetch(1)",
        "await self._bus.client.request(subject, data)",
    ],
)
def test_a_call_without_one_is_found(source: str) -> None:
    assert unbounded(nodes_of(source))
