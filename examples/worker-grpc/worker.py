"""The life of an attempt: claim, stages with checkpoints, heartbeats, directives, an end."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import resource
import signal
import socket
import sys
import threading
import time
import uuid
from pathlib import Path
from types import FrameType
from typing import Any

import grpc
from glossary import definitions_of, document_of
from platform_client import Identity, LeaseLost, Platform, Refused

from prsm.session.v1 import session_pb2, worker_pb2

STAGES = (("select", 5.0), ("read", 90.0), ("write", 5.0))
DOCUMENTS = {"quick": 30, "standard": 80, "deep": 200}
"""What is read at most, by depth: the estimate that the session's money was held for knows no more."""
_MICRO = 1_000_000


class Stopping(Exception):
    """The process is to end: hand the session back."""


class Attempt:
    """One claim. The heart beats in a thread of its own beside the work, and tells it what it hears."""

    def __init__(self, platform: Platform, claim: Any, stopping: threading.Event, pace: float) -> None:
        self._platform = platform
        self._claim = claim
        self._lease = claim.lease
        self._grant = claim.grant
        self._stopping = stopping
        self._pace = pace
        self._lost = threading.Event()  # the session is no longer ours
        self._ended = threading.Event()  # the work is done, the heart may stop
        self._wake = threading.Event()  # something to be heard at once
        self._closing = False  # its end is being told: what that is answered counts, not a heartbeat's answer
        self._write_up = claim.write_up
        self._stage, self._done, self._usage = "", 0.0, dict[str, int]()
        self._stored = 0
        self._cpu = time.process_time()

    def run(self) -> str:
        """How it ended: completed, failed, dropped or released."""
        heart = threading.Thread(target=self._beat, daemon=True)
        heart.start()
        try:
            return self._work()
        except LeaseLost:
            return "dropped"
        except Stopping:
            return self._end(self._platform.sessions.Release, worker_pb2.ReleaseRequest, "released", reason="drain")
        except Refused as error:
            # Our request was wrong, or an input is gone: another attempt would be told the same.
            said = {"code": error.reason, "message": str(error), "retryable": False, "ours": True}
            return self._end(self._platform.sessions.Fail, worker_pb2.FailRequest, "failed", stage=self._stage, **said)
        except grpc.RpcError:
            away = "A service that the work needs was not available"
            said = {"code": "dependency_unavailable", "message": away, "retryable": True, "ours": True}
            return self._end(self._platform.sessions.Fail, worker_pb2.FailRequest, "failed", stage=self._stage, **said)
        except Exception as error:
            said = {"code": "engine_crashed", "message": repr(error), "retryable": True, "ours": True}
            return self._end(self._platform.sessions.Fail, worker_pb2.FailRequest, "failed", stage=self._stage, **said)
        finally:
            self._ended.set()
            heart.join()

    def _work(self) -> str:
        platform, sessions = self._platform, self._platform.sessions
        # What earlier attempts finished is taken over, never done again: it is paid for.
        outputs = {
            stored.stage: json.loads(self._again(lambda s=stored: platform.get(self._grant, s.epoch, s.hash)))
            for stored in self._claim.stages
        }
        plan = [worker_pb2.StagePlan(stage=name, weight=weight) for name, weight in STAGES]
        self._told(sessions.Start, worker_pb2.StartRequest(lease=self._lease, stages=plan))
        digest = ""  # of the result, once this attempt has stored it
        for name, _ in STAGES:
            if name in outputs:
                continue
            self._check()
            self._stage, self._done, self._usage = name, 0.0, {}
            self._heed(self._told(sessions.BeginStage, worker_pb2.BeginStageRequest(lease=self._lease, stage=name)))
            outputs[name], decision = getattr(self, f"_{name}")(outputs)
            digest = self._checkpoint(name, outputs[name], decision, result=name == STAGES[-1][0])
        return self._complete(outputs["write"], digest)

    def _select(self, _: dict[str, Any]) -> tuple[Any, str]:
        depth = self._claim.preferences.depth or "standard"
        limit = self._claim.preferences.max_documents or DOCUMENTS[depth]
        cards = self._again(lambda: self._platform.documents(self._grant))
        chosen = [{"document_id": card.document_id, "title": card.title} for card in cards[:limit]]
        return chosen, f"{len(chosen)} of {len(cards)} documents are read."

    def _read(self, outputs: dict[str, Any]) -> tuple[Any, str]:
        chosen, read = outputs["select"], list[dict[str, Any]]()
        for card in chosen:
            self._check()
            if self._write_up:
                break
            try:
                text = self._again(lambda c=card: self._platform.text(self._grant, c["document_id"]))
            except Refused as error:
                if error.reason != "document_not_found":
                    raise
                continue  # Deleted since: it is as if it had never been there.
            digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
            read.append({**card, "sha256": digest, "definitions": definitions_of(text)})
            self._usage["document_read"] = len(read)
            self._done = len(read) / len(chosen)
            self._wake.wait(self._pace)
        return read, f"{len(read)} of {len(chosen)} documents were read for definitions."

    def _write(self, outputs: dict[str, Any]) -> tuple[Any, str]:
        read = outputs["read"]
        document = document_of(self._claim.prompt, read, partial=len(read) < len(outputs["select"]))
        return document, document["summary"]

    def _checkpoint(self, stage: str, output: Any, decision: str, *, result: bool) -> str:
        content = json.dumps(output, sort_keys=True, separators=(",", ":")).encode()
        digest = str(self._again(lambda: self._platform.put(self._grant, content, result=result)))
        self._stored += len(content)
        decisions = [worker_pb2.Decision(decision=stage, reason=decision)]
        request = worker_pb2.CheckpointRequest(
            lease=self._lease, stage=stage, hash=digest, usage=self._used(), decisions=decisions, **self._resources()
        )
        self._heed(self._told(self._platform.sessions.Checkpoint, request))
        return digest

    def _complete(self, document: dict[str, Any], digest: str) -> str:
        if not digest:  # An earlier attempt ended between its last checkpoint and here.
            content = json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
            digest = str(self._again(lambda: self._platform.put(self._grant, content, result=True)))
        compact = session_pb2.CompactResults(
            title=document["title"],
            partial=document["partial"],
            summary=document["summary"],
            confidence_score=document["confidence_score"],
            key_findings=[
                session_pb2.KeyFinding(id=f["id"], text=f["text"], citations=f["citations"], confidence=f["confidence"])
                for f in document["key_findings"]
            ],
        )
        cited = [citation["document_id"] for citation in document["citations"]]
        request = worker_pb2.CompleteRequest(
            lease=self._lease, hash=digest, results=compact, cited_document_ids=cited, **self._resources()
        )
        self._closing = True
        self._told(self._platform.sessions.Complete, request)
        return "completed"

    def _beat(self) -> None:
        """Keep the lease; what the answer says is heard by the work at its next step."""
        held_until = time.monotonic() + self._claim.lease_us / _MICRO
        while not self._ended.wait(self._claim.heartbeat_us / _MICRO):
            sent = time.monotonic()
            request = worker_pb2.HeartbeatRequest(
                lease=self._lease, stage=self._stage, stage_done=self._done, usage=self._used(), **self._resources()
            )
            try:
                answer = self._platform.call(self._platform.sessions.Heartbeat, request, seconds=1.5)
            except grpc.RpcError:
                if time.monotonic() > held_until:
                    self._lose()
                continue
            except (LeaseLost, Refused):
                self._lose()
                return
            held_until = sent + answer.lease_us / _MICRO
            self._grant = answer.grant or self._grant
            if answer.directive in (worker_pb2.DIRECTIVE_PAUSE, worker_pb2.DIRECTIVE_CANCEL):
                self._lose()
            self._write_up = self._write_up or answer.directive == worker_pb2.DIRECTIVE_WRITE_UP
            if self._write_up or self._stopping.is_set():
                self._wake.set()

    def _lose(self) -> None:
        if not self._closing:
            self._lost.set()
            self._wake.set()

    def _check(self) -> None:
        if self._lost.is_set():
            raise LeaseLost
        if self._stopping.is_set():
            raise Stopping

    def _heed(self, answer: Any) -> None:
        if answer.directive in (worker_pb2.DIRECTIVE_PAUSE, worker_pb2.DIRECTIVE_CANCEL):
            raise LeaseLost
        self._write_up = self._write_up or answer.directive == worker_pb2.DIRECTIVE_WRITE_UP

    def _again(self, call: Any) -> Any:
        return self._platform.insist(call, self._lost)

    def _told(self, method: Any, request: Any) -> Any:
        return self._again(lambda: self._platform.call(method, request))

    def _end(self, method: Any, kind: Any, ending: str, **fields: Any) -> str:
        try:
            self._platform.call(method, kind(lease=self._lease, **fields))
        except (LeaseLost, Refused, grpc.RpcError):
            return "dropped"  # The lease runs out by itself.
        return ending

    def _used(self) -> list[Any]:
        usage = sorted(self._usage.items())
        return [worker_pb2.UsageItem(item=item, quantity_micros=count * _MICRO) for item, count in usage]

    def _resources(self) -> dict[str, float]:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
        cpu = time.process_time() - self._cpu
        return {"cpu_seconds": cpu, "peak_memory_mb": peak, "bytes_stored": float(self._stored)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for service in ("session", "results", "library"):
        parser.add_argument(f"--{service}", required=True, help="host:port")
    identity = parser.add_mutually_exclusive_group(required=True)
    identity.add_argument("--key", type=Path, help="private JWK whose key id is worker or worker/NAME")
    identity.add_argument("--tokens", type=Path, help="directory with a token for each service")
    parser.add_argument("--engine", default="glossary")
    parser.add_argument("--poll", type=float, default=1.0, help="seconds between two looks for work")
    parser.add_argument("--pace", type=float, default=0.0, help="seconds to wait after each document")
    given = parser.parse_args()
    stopping = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    targets = {"session": given.session, "results": given.results, "library": given.library}
    platform = Platform(Identity(given.key, given.tokens), **targets)
    worker_id = f"{socket.gethostname()[:40]}-{os.getpid()}-{uuid.uuid4().hex[:12]}"
    request = worker_pb2.ClaimNextRequest(worker_id=worker_id, engines=[given.engine], in_hand=0)
    while not stopping.is_set():
        try:
            answer = platform.call(platform.sessions.ClaimNext, request)
        except (grpc.RpcError, Refused) as error:
            sys.stderr.write(f"no claim: {error!r}\n")
            stopping.wait(given.poll)
            continue
        if not answer.HasField("claim"):
            stopping.wait(given.poll)
            continue
        claim = answer.claim
        ending = Attempt(platform, claim, stopping, given.pace).run()
        sys.stdout.write(f"{claim.lease.session_id} epoch {claim.lease.epoch} {ending}\n")
        sys.stdout.flush()
    platform.close()


if __name__ == "__main__":
    main()
