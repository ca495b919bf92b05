"""A service served for real inside the test's process: kit's pipeline on a port of its own, tokens from fresh keys."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.descriptor import ServiceDescriptor

from kit.auth.grants import GrantVerifier
from kit.auth.internal import InternalSigner, InternalVerifier
from kit.auth.keys import KeySource, create_key, write_jwks
from kit.auth.tokens import TokenRules, TokenVerifier, mint
from kit.db.database import Database
from kit.db.idempotency import IdempotencyStore
from kit.db.tables import KitTables
from kit.ids import Ids
from kit.rpc.client import Peer, named
from kit.rpc.pipeline import Pipeline
from kit.rpc.serve import GrpcServer
from kit.rpc.tls import TlsFiles
from kit.times import Clock

_RULES = TokenRules(issuer="https://issuer.test", audience="prsm")


class Identities:
    """The keys of a test's users and services."""

    def __init__(self, folder: Path, clock: Clock, services: Sequence[str]) -> None:
        self._clock = clock
        self._user_key = create_key(folder / "user.json", "user-key")
        self._service_keys = {name: create_key(folder / f"{name}.json", name) for name in services}
        write_jwks(folder / "users.jwks", [self._user_key])
        write_jwks(folder / "services.jwks", list(self._service_keys.values()))
        self._folder = folder

    def join(self, service: str, instance: str) -> Path:
        """The private key of one more replica of a service; from now on the others can know it."""
        path = self._folder / f"{service}-{instance}.json"
        self._service_keys[f"{service}/{instance}"] = create_key(path, f"{service}/{instance}")
        write_jwks(self._folder / "services.jwks", list(self._service_keys.values()))
        return path

    def user_metadata(self, user: str, **claims: object) -> tuple[tuple[str, str], ...]:
        """Headers of a signed-in user; `claims` are added to the token's."""
        token = mint(self._user_key, _RULES, self._clock, ttl=3600, claims={"sub": user, **claims})
        return (("authorization", f"Bearer {token}"),)

    def peer(self, caller: str, audience: str) -> Peer:
        return Peer(audience, InternalSigner(self._service_keys[caller], caller, self._clock))

    def users(self) -> TokenVerifier:
        """What knows the users' tokens."""
        return TokenVerifier(KeySource(str(self._folder / "users.jwks"), self._clock), _RULES, self._clock)

    def settings(self, name: str) -> dict[str, str]:
        """The settings by which the service `name`, as a process, knows the same keys."""
        return {
            "user_issuer": _RULES.issuer,
            "user_audience": _RULES.audience,
            "user_jwks": str(self._folder / "users.jwks"),
            "internal_jwks": str(self._folder / "services.jwks"),
            "internal_key": str(self._folder / f"{name}.json"),
        }

    def pipeline(
        self,
        name: str,
        *,
        store: IdempotencyStore | None,
        ids: Ids,
        own_idempotency: frozenset[str] = frozenset(),
    ) -> Pipeline:
        """The pipeline of the service `name`."""
        services = KeySource(str(self._folder / "services.jwks"), self._clock)
        return Pipeline(
            users=self.users(),
            internal=InternalVerifier(services, name, self._clock),
            grants=GrantVerifier(services, self._clock),
            idempotency=store,
            clock=self._clock,
            ids=ids,
            own_idempotency=own_idempotency,
        )


class Served:
    """A server that answers, and a channel to it."""

    def __init__(self, server: GrpcServer) -> None:
        self._server = server
        self.port = server.port
        self.channel = grpc.aio.insecure_channel(f"127.0.0.1:{server.port}")

    @classmethod
    async def start(
        cls,
        pipeline: Pipeline,
        services: Sequence[tuple[ServiceDescriptor, object]],
        *,
        tls: TlsFiles | None = None,
    ) -> Served:
        server = GrpcServer("127.0.0.1:0", pipeline, services, tls=tls)
        await server.start()
        return cls(server)

    async def stop(self) -> None:
        await self.channel.close()
        await self._server.stop(0)


def idempotency_store(db: Database, tables: KitTables, clock: Clock, ids: Ids) -> IdempotencyStore:
    """A store whose second request gets the answer of the first, however long that takes on a busy machine."""
    return IdempotencyStore(db, tables, clock, ids, wait=60, poll=0.01)


async def answer(call: Awaitable[Any]) -> Any:
    """Await a client's call; an error becomes the named one that the service raised."""
    try:
        return await call
    except grpc.aio.AioRpcError as error:
        raise named(error, "test") from error
