"""The process with the platform's own identity: service accounts' tokens in, its health in plain text."""

from __future__ import annotations

import shutil
from pathlib import Path

import grpc
import pytest

from kit.auth.projected import ProjectedTokens
from kit.errors import Unavailable
from kit.rpc.channels import open_channel
from kit.rpc.client import Peer
from kit.rpc.probe import check
from kit.rpc.tls import TlsFiles
from kit.times import SystemClock
from prsm.billing.v1 import ledger_pb2, ledger_pb2_grpc
from tests.integration.billing.stand import QUICK
from tests.support.certificates import Authority, TlsFolder
from tests.support.cluster import ISSUER, SUBJECTS, Cluster
from tests.support.processes import ServiceProcess
from tests.support.serving import Identities

CLOCK = SystemClock()


async def test_services_are_known_by_their_service_accounts(migrated_file: Path, tmp_path: Path) -> None:
    database = shutil.copy(migrated_file, tmp_path / "process.db")
    tls = TlsFolder(tmp_path / "tls", Authority(), "127.0.0.1")
    identities = Identities(tmp_path, CLOCK, ["session", "billing"])
    async with Cluster(tmp_path, CLOCK) as cluster:
        own = tmp_path / "own"
        cluster.project(own, "billing", "session")
        settings = {
            **identities.settings("billing"),
            **tls.settings(),
            "internal_key": "",
            "internal_jwks": cluster.url,
            "internal_jwks_ca": cluster.ca,
            "internal_jwks_token": str(cluster.reader),
            "internal_tokens": str(own),
            "internal_issuer": ISSUER,
            "internal_subjects": SUBJECTS,
            "database_url": f"sqlite:///{database}",
            "nats_url": "nats://127.0.0.1:1",
        }
        request = ledger_pb2.PlaceHoldRequest(hold_id="s1", owner="ada", workload=QUICK)
        async with ServiceProcess("billing", settings) as process:
            files = TlsFiles(str(tls.cert), str(tls.key), str(tls.ca))
            async with open_channel(process.target, tls=files) as channel:
                ledger = ledger_pb2_grpc.LedgerServiceStub(channel)
                cluster.project(tmp_path / "session", "session", "billing")
                session = Peer("billing", ProjectedTokens(tmp_path / "session", CLOCK))
                assert (await session.call(ledger.PlaceHold, request, timeout=60)).held_micros > 0
                # Neither another service's account, nor a key of the other kind of identity.
                cluster.project(tmp_path / "stranger", "stranger", "billing")
                stranger = Peer("billing", ProjectedTokens(tmp_path / "stranger", CLOCK))
                with pytest.raises(Exception, match="may not call"):
                    await stranger.call(ledger.PlaceHold, request, timeout=60)
                with pytest.raises(Unavailable):
                    await identities.peer("session", "billing").call(ledger.PlaceHold, request, timeout=60)
            assert check(process.health, "liveness") == check(process.health) == ""
            assert check(process.target) != ""
            async with grpc.aio.insecure_channel(process.target) as plain:
                refused = ledger_pb2_grpc.LedgerServiceStub(plain)
                with pytest.raises(Unavailable):
                    await session.call(refused.PlaceHold, request, timeout=1)
            assert await process.stop() == 0
