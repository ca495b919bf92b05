"""One run of the whole product with metrics and traces on; the tests look at what it left."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest_asyncio
from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families

from cli.stack.environment import SERVICES
from tests.e2e import lab
from tests.support.collector import Collector, Span
from tests.support.rest import API, Api, People
from tests.support.signals import Signals
from tests.support.stack import RunningStack, running_stack

PROMPT = "What does the zebrafish lighthouse quartet say about tides?"
TEXT = "The zanzibar kaleidoscope doctrine holds that tides follow the moon. Tides rise twice a day near the coast."
QUERY = "zephyrous querulous tides"
BAD_TOKEN = "planted.bearer.token-that-opens-nothing"
CLIENT_TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CLIENT_SPAN = "00f067aa0ba902b7"
REQUEST_ID = "the-client-s-own-request"
_ONE_SECOND_READINGS = {"PRSM_BILLING_AUDIT_SECONDS": "1"}


@dataclass
class Run:
    """What was done and what came of it."""

    real: str = ""
    """A session by a real engine, created under the client's own trace."""
    led: str = ""
    """A session that was paused and resumed, so it had two attempts."""
    tokens: list[str] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    logs: dict[str, str] = field(default_factory=dict)
    """What each part wrote, by name."""
    scraped: dict[str, list[Metric]] = field(default_factory=dict)
    """Metrics by part."""

    def lines(self) -> list[dict[str, Any]]:
        """Every JSON line."""
        return [json.loads(line) for text in self.logs.values() for line in text.splitlines() if line.startswith("{")]

    def trace_of(self, session_id: str) -> list[Span]:
        """Every span of the trace that a session belongs to."""
        (trace_id,) = {
            span.trace_id
            for span in self.spans
            if span.attributes.get("prsm.session_id") == session_id and span.name.endswith("/CreateSession")
        }
        return [span for span in self.spans if span.trace_id == trace_id]


@pytest_asyncio.fixture(scope="session")
async def run() -> AsyncIterator[Run]:
    done = Run()
    parts = [*SERVICES, "worker", "gateway"]
    async with Collector() as collector:
        settings = {
            **{f"PRSM_{part.upper()}_OTLP_ENDPOINT": collector.target for part in parts},
            **{f"PRSM_{part.upper()}_ACCESS_LOG": "info" for part in parts},
            **_ONE_SECOND_READINGS,
        }
        with tempfile.TemporaryDirectory(prefix="prsm-telemetry-") as folder:
            root = Path(folder)
            async with running_stack(root, workers=1, settings=settings, arguments=["--metrics"]) as stack:
                timeout = aiohttp.ClientTimeout(total=120)
                async with aiohttp.ClientSession(timeout=timeout) as client:
                    await _use(stack, People(stack, client), done)
                    done.scraped = await _scraped(client, stack.endpoints)
                logs = stack.data.logs
            # The parts have ended by now: what they had to send was sent, what they had to say was said.
            done.logs = {path.stem: path.read_text() for path in logs.glob("*.log") if path.stem != "nats"}
        done.spans = list(collector.spans)
    yield done


async def _use(stack: RunningStack, people: People, done: Run) -> None:
    api = people.new("ada", email="ada@example.org")
    done.tokens = [api.token, BAD_TOKEN]
    await api.add_document("Tides", TEXT)
    cards = await lab.upload(api, lab.ARTICLES[:2])
    assert [card["status"] for card in cards] == ["ready", "ready"]
    headers = {"traceparent": f"00-{CLIENT_TRACE}-{CLIENT_SPAN}-01", "X-Request-Id": REQUEST_ID}
    body = {"prompt": PROMPT, "preferences": {"depth": "quick"}}
    created = await api.send("POST", f"{API}/sessions", body=body, headers=headers)
    done.real = created.expect(201)["session_id"]
    await api.until_status(done.real, "completed")
    exported = await api.send("GET", f"{API}/sessions/{done.real}/export", query={"format": "pdf"})
    assert exported.status == 200, (stack.data.logs / "results.log").read_text()
    await api.post("/documents/search", {"query": QUERY})
    await api.share(done.real, "grace@example.org")
    assert (await people.with_token(BAD_TOKEN).send("GET", f"{API}/sessions")).status == 401
    assert (await api.send("GET", f"{API}/no-such-thing")).status == 404
    await _pause_and_resume(stack, api, done)
    await api.settled_balance(done.led)
    await api.settled_balance(done.real)


async def _pause_and_resume(stack: RunningStack, api: Api, done: Run) -> None:
    done.led = await api.create(PROMPT, preferences={"engine": "signal"})
    async with await Signals.connect(*stack.nats()) as signals:
        await signals.finish_stage(done.led)
        await api.post(f"/sessions/{done.led}/pause")
        await signals.gone(done.led)
        await api.post(f"/sessions/{done.led}/resume")
        await signals.complete(done.led)
    await api.until_status(done.led, "completed")


async def _scraped(client: aiohttp.ClientSession, endpoints: Mapping[str, str]) -> dict[str, list[Metric]]:
    """Scrape until every shared reading was taken and the broker's figures are there."""
    found: dict[str, list[Metric]] = {}
    async with asyncio.timeout(60):
        while not _complete(found):
            for name, url in endpoints.items():
                if name.startswith("metrics."):
                    async with client.get(url) as response:
                        families = text_string_to_metric_families(await response.text())
                        found[name.removeprefix("metrics.")] = list(families)
            await asyncio.sleep(0.2)
    return found


def _complete(found: Mapping[str, list[Metric]]) -> bool:
    samples = [sample for families in found.values() for family in families for sample in family.samples]
    ended = {"status": "completed"}
    totals = [each.value for each in samples if each.name == "prsm_session_sessions" and each.labels == ended]
    shown = {"prsm_billing_invariant_violations", "prsm_session_queue_depth", "prsm_consumer_lag_events"}
    return totals == [2.0] and shown <= {sample.name for sample in samples}
