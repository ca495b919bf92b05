"""A real gRPC server through the pipeline: who gets in, what is refused, and how it looks to a gRPC client."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from sqlalchemy import MetaData, create_engine

from kit.auth.internal import InternalSigner, InternalVerifier
from kit.auth.keys import KeySource, create_key, write_jwks
from kit.auth.tokens import TokenRules, TokenVerifier, mint
from kit.db.database import open_database
from kit.db.idempotency import IdempotencyStore
from kit.db.tables import add_kit_tables
from kit.errors import Forbidden, RemoteError, SessionNotAccessible, Unavailable
from kit.ids import RandomIds
from kit.rpc.call import Call
from kit.rpc.channels import open_channel
from kit.rpc.client import Peer
from kit.rpc.pipeline import Pipeline
from kit.rpc.rules import MissingRule, rules_of
from kit.rpc.serve import GrpcServer
from kit.times import ManualClock
from prsm.billing.v1 import billing_pb2, ledger_pb2, ledger_pb2_grpc
from prsm.collab.v1 import collab_pb2, collab_pb2_grpc
from prsm.errors.v1 import errors_pb2
from prsm.library.v1 import library_pb2
from prsm.results.v1 import results_pb2
from prsm.session.v1 import internal_pb2, session_pb2, worker_pb2

metadata = MetaData()
TABLES = add_kit_tables(metadata)
RULES = TokenRules(issuer="i", audience="a")
COLLAB = collab_pb2.DESCRIPTOR.services_by_name["CollabService"]
LEDGER = ledger_pb2.DESCRIPTOR.services_by_name["LedgerService"]


class Collab:
    """Just enough of a servicer to see what reaches one."""

    def __init__(self) -> None:
        self.comments = 0
        self.failure: Exception | None = None
        self.strangers: set[str] = set()

    async def admit(self, session_id: str, call: Call) -> None:
        if call.principal.user_id in self.strangers:
            raise SessionNotAccessible()

    async def AddComment(self, request: collab_pb2.AddCommentRequest, call: Call) -> collab_pb2.Comment:
        if self.failure is not None:
            raise self.failure
        self.comments += 1
        call.location = f"/comments/{self.comments}"
        return collab_pb2.Comment(comment_id=str(self.comments), content=request.content)

    async def ListComments(self, request: Any, call: Call) -> collab_pb2.ListCommentsResponse:
        return collab_pb2.ListCommentsResponse(total_count=self.comments)

    def __getattr__(self, name: str) -> Any:
        async def other(request: Any, call: Call) -> Any:
            raise Forbidden(f"{name} is not part of this test")

        return other


class Ledger:
    async def Estimate(self, request: ledger_pb2.EstimateRequest, call: Call) -> ledger_pb2.EstimateResponse:
        return ledger_pb2.EstimateResponse(estimate=ledger_pb2.Estimate(currency=call.caller))

    PlaceHold = Settle = VoidHold = Estimate


@dataclass
class Rig:
    servicer: Collab
    stub: Any
    ledger: Any
    token: str
    reader: str
    session: InternalSigner
    worker: InternalSigner
    target: str

    def auth(self, token: str | None = None, **extra: str) -> tuple[tuple[str, str], ...]:
        pairs = [("authorization", f"Bearer {self.token if token is None else token}")]
        return (*pairs, *((k.replace("_", "-"), v) for k, v in extra.items()))


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    clock = ManualClock()
    ids = RandomIds(clock)
    user = create_key(tmp_path / "user.json", "user")
    session, worker = create_key(tmp_path / "s.json", "session"), create_key(tmp_path / "w.json", "worker")
    write_jwks(tmp_path / "users.json", [user])
    write_jwks(tmp_path / "internal.json", [session, worker])
    url = f"sqlite:///{tmp_path / 'p.db'}"
    engine = create_engine(url)
    metadata.create_all(engine)
    engine.dispose()
    db = open_database(url, schema="p")
    pipeline = Pipeline(
        users=TokenVerifier(KeySource(str(tmp_path / "users.json"), clock), RULES, clock),
        internal=InternalVerifier(KeySource(str(tmp_path / "internal.json"), clock), "billing", clock),
        grants=None,
        idempotency=IdempotencyStore(db, TABLES, clock, ids, wait=60, poll=0.01),
        clock=clock,
        ids=ids,
    )
    servicer = Collab()
    server = GrpcServer("127.0.0.1:0", pipeline, [(COLLAB, servicer), (LEDGER, Ledger())])
    await server.start()
    target = f"127.0.0.1:{server.port}"
    channel = open_channel(target)
    yield Rig(
        servicer,
        collab_pb2_grpc.CollabServiceStub(channel),
        ledger_pb2_grpc.LedgerServiceStub(channel),
        mint(user, RULES, clock, ttl=600, claims={"sub": "alice"}),
        mint(user, RULES, clock, ttl=600, claims={"sub": "rita", "scope": "read"}),
        InternalSigner(session, "session", clock),
        InternalSigner(worker, "worker", clock),
        target,
    )
    await channel.close()
    await server.stop(0)
    await db.close()


def request(content: str = "hello") -> collab_pb2.AddCommentRequest:
    return collab_pb2.AddCommentRequest(session_id="s", content=content)


async def refused(call: Any) -> tuple[str, dict[str, Any], grpc.aio.AioRpcError]:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    trailing = dict(caught.value.trailing_metadata() or ())
    status = status_pb2.Status.FromString(bytes(trailing["grpc-status-details-bin"]))
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    return info.reason, json.loads(str(trailing["x-prsm-error"])), caught.value


async def test_every_method_of_the_contract_has_a_rule() -> None:
    files = [billing_pb2, ledger_pb2, collab_pb2, library_pb2, results_pb2, session_pb2, worker_pb2, internal_pb2]
    services = [s for file in files for s in file.DESCRIPTOR.services_by_name.values()]
    assert len(services) >= 9
    for service in services:
        assert rules_of(service)


def test_a_method_without_a_rule_fails_the_build() -> None:
    from grpc_health.v1 import health_pb2

    with pytest.raises(MissingRule):
        rules_of(health_pb2.DESCRIPTOR.services_by_name["Health"])


def test_every_reason_has_a_mapping() -> None:
    for value in errors_pb2.Reason.DESCRIPTOR.values:
        mapping = value.GetOptions().Extensions[errors_pb2.mapping]
        assert mapping.name, value.name
        assert 400 <= mapping.http < 600
        assert mapping.message


async def test_success_brings_its_status_and_location(rig: Rig) -> None:
    call = rig.stub.AddComment(request(), metadata=rig.auth(), timeout=60)
    comment = await call
    assert comment.content == "hello"
    initial = dict(await call.initial_metadata())
    assert initial["x-prsm-http-status"] == "201"
    assert initial["location"] == "/comments/1"


@pytest.mark.parametrize(
    "metadata",
    [(), (("authorization", "Bearer nonsense"),), (("authorization", "Basic abc"),), (("x-api-key", "nonsense"),)],
)
async def test_credentials_come_before_everything(rig: Rig, metadata: Any) -> None:
    reason, body, _ = await refused(rig.stub.AddComment(request(""), metadata=metadata, timeout=60))
    assert (reason, body["error"], body["code"]) == ("UNAUTHORIZED", "unauthorized", 401)


async def test_the_token_may_come_as_api_key(rig: Rig) -> None:
    await rig.stub.AddComment(request(), metadata=(("x-api-key", rig.token),), timeout=60)


async def test_a_reading_token_reads_only(rig: Rig) -> None:
    await rig.stub.ListComments(collab_pb2.ListCommentsRequest(), metadata=rig.auth(rig.reader), timeout=60)
    reason, body, _ = await refused(rig.stub.AddComment(request(), metadata=rig.auth(rig.reader), timeout=60))
    assert (reason, body["code"]) == ("FORBIDDEN", 403)


async def test_all_faults_at_once_and_named(rig: Rig) -> None:
    message = collab_pb2.AddCommentRequest(content="", comment_type="shout")
    reason, body, error = await refused(rig.stub.AddComment(message, metadata=rig.auth(), timeout=60))
    assert reason == "VALIDATION_ERROR"
    assert [f["field"] for f in body["details"]["fields"]] == ["content", "comment_type"]
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_nul_character_is_named(rig: Rig) -> None:
    reason, body, _ = await refused(rig.stub.AddComment(request("a\0b"), metadata=rig.auth(), timeout=60))
    assert reason == "VALIDATION_ERROR"
    assert body["details"]["fields"][0]["field"] == "content"


async def test_what_is_no_message_is_a_fault_of_the_request(rig: Rig) -> None:
    channel = grpc.aio.insecure_channel(rig.target)
    raw: Any = channel.unary_unary("/prsm.collab.v1.CollabService/AddComment")
    reason, _, _ = await refused(raw(b"\xff\xff\xff", metadata=rig.auth(), timeout=60))
    await channel.close()
    assert reason == "VALIDATION_ERROR"


async def test_an_unknown_fault_tells_nothing_but_its_request(rig: Rig) -> None:
    rig.servicer.failure = RuntimeError("password=hunter2")
    reason, body, error = await refused(
        rig.stub.AddComment(request(), metadata=rig.auth(x_request_id="req-7"), timeout=60)
    )
    assert (reason, body["error"], body["request_id"]) == ("INTERNAL", "internal", "req-7")
    assert "hunter2" not in str(error.trailing_metadata()) + str(error.details())


async def test_one_key_one_comment(rig: Rig) -> None:
    metadata = rig.auth(idempotency_key="k-1")
    first = rig.stub.AddComment(request(), metadata=metadata, timeout=60)
    again = rig.stub.AddComment(request(), metadata=metadata, timeout=60)
    assert (await first).comment_id == (await again).comment_id
    assert rig.servicer.comments == 1
    assert dict(await again.initial_metadata())["location"] == "/comments/1"
    reason, _, _ = await refused(rig.stub.AddComment(request("other"), metadata=metadata, timeout=60))
    assert reason == "IDEMPOTENCY_KEY_REUSED"


async def test_two_at_once_with_one_key_have_one_effect(rig: Rig) -> None:
    metadata = rig.auth(idempotency_key="k-2")
    answers = await asyncio.gather(*(rig.stub.AddComment(request(), metadata=metadata, timeout=60) for _ in range(8)))
    assert {a.comment_id for a in answers} == {"1"}
    assert rig.servicer.comments == 1


async def test_a_refused_request_does_not_burn_its_key(rig: Rig) -> None:
    metadata = rig.auth(idempotency_key="k-3")
    rig.servicer.failure = Forbidden()
    await refused(rig.stub.AddComment(request(), metadata=metadata, timeout=60))
    rig.servicer.failure = None
    assert (await rig.stub.AddComment(request("again"), metadata=metadata, timeout=60)).comment_id == "1"


async def test_who_lost_the_right_gets_no_old_answer(rig: Rig) -> None:
    metadata = rig.auth(idempotency_key="k-4")
    await rig.stub.AddComment(request(), metadata=metadata, timeout=60)
    rig.servicer.strangers.add("alice")
    reason, body, error = await refused(rig.stub.AddComment(request(), metadata=metadata, timeout=60))
    assert (reason, body["code"]) == ("SESSION_NOT_ACCESSIBLE", 403)
    assert "location" not in dict(error.initial_metadata() or ())
    rig.servicer.strangers.clear()
    assert (await rig.stub.AddComment(request(), metadata=metadata, timeout=60)).comment_id == "1"


@pytest.mark.parametrize("key", ["", "with space", "x" * 256])
async def test_a_bad_key_is_named(rig: Rig, key: str) -> None:
    reason, body, _ = await refused(rig.stub.AddComment(request(), metadata=rig.auth(idempotency_key=key), timeout=60))
    assert reason == "VALIDATION_ERROR"
    assert body["details"]["fields"][0]["field"] == "Idempotency-Key"


async def test_internal_methods_open_to_their_callers_alone(rig: Rig) -> None:
    message = ledger_pb2.EstimateRequest(workload=ledger_pb2.Workload())
    session = Peer("billing", rig.session)
    answer = await session.call(rig.ledger.Estimate, message, timeout=60)
    assert answer.estimate.currency == "session"
    with pytest.raises(RemoteError) as caught:
        await Peer("billing", rig.worker).call(rig.ledger.Estimate, message, timeout=60)
    assert caught.value.name == "FORBIDDEN"
    reason, _, _ = await refused(rig.ledger.Estimate(message, metadata=rig.auth(), timeout=60))
    assert reason == "UNAUTHORIZED"
    # Our own credential being refused is never the user's 401.
    with pytest.raises(Unavailable):
        await Peer("library", rig.session).call(rig.ledger.Estimate, message, timeout=60)


async def test_a_service_that_is_away_is_unavailable(rig: Rig) -> None:
    channel = open_channel("127.0.0.1:1")
    stub = ledger_pb2_grpc.LedgerServiceStub(channel)
    with pytest.raises(Unavailable):
        await Peer("billing", rig.session).call(
            stub.Estimate, ledger_pb2.EstimateRequest(workload=ledger_pb2.Workload()), timeout=2
        )
    await channel.close()
