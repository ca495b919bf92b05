"""Create, get and list of 20 through the gateway, at concurrency 1, 16 and 64.

    python -m bench.gateway [--ceiling reference.py] [--seconds 2] [--rounds 3] [--sessions 1000] [--json FILE]

With a reference server (one that prints `ready: URL` and answers the same three requests) both are measured in turn
within the same run, and the ratio of each pair is what counts: machines drift, pairs do not.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import platform
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bench import targets
from bench.load import Job, Result

CONCURRENCY = (1, 16, 64)
TARGETS = {"get": 0.5, "list": 0.4, "create": 0.15}
PROMPT = "How much carbon do salt marshes, mangroves and seagrass meadows bury each year, and what limits it? " * 3
BODY = {"prompt": PROMPT, "session_type": "research", "metadata": {"project": "blue carbon", "ticket": "RC-17"}}
DOCUMENT = {"title": "Marsh soils", "text": "Salt marshes bury carbon in their soils. " * 20}


@dataclass(frozen=True, slots=True)
class Measured:
    """One operation at one concurrency; lists hold one entry a round."""

    operation: str
    connections: int
    product: list[Result]
    ceiling: list[Result]

    @property
    def ratio(self) -> float | None:
        if not self.ceiling:
            return None
        pairs = zip(self.product, self.ceiling, strict=True)
        return statistics.median(ours.per_second / theirs.per_second for ours, theirs in pairs)


def _request(method: str, path: str, port: int, bearer: str, body: object | None = None) -> str:
    data = "" if body is None else json.dumps(body)
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {bearer}\r\n"
    if data:
        head += f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n"
    return head + "\r\n" + data


async def drive(job: Job) -> Result:
    """Run a job in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.load", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    try:
        out, _ = await asyncio.wait_for(process.communicate(json.dumps(asdict(job)).encode()), job.seconds + 60)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return Result(**json.loads(out))


def _jobs(port: int, bearer: str, ids: Sequence[str], connections: int, seconds: float) -> dict[str, Job]:
    requests = {
        "get": ([_request("GET", f"/api/v1/sessions/{i}", port, bearer) for i in ids[:200]], 200),
        "list": ([_request("GET", "/api/v1/sessions?page=1&limit=20", port, bearer)], 200),
        "create": ([_request("POST", "/api/v1/sessions", port, bearer, BODY)], 201),
    }
    return {
        name: Job("127.0.0.1", port, texts, connections, seconds, expect) for name, (texts, expect) in requests.items()
    }


async def _measure(args: argparse.Namespace, folder: Path) -> list[Measured]:
    product = await targets.product(folder)
    ceiling = await targets.ceiling(args.ceiling) if args.ceiling else None
    try:
        bearer = targets.token(folder, "bench")
        targets.post(product.port, "/api/v1/documents", DOCUMENT, bearer)
        ids = [targets.post(product.port, "/api/v1/sessions", BODY, bearer)["session_id"] for _ in range(args.sessions)]
        found = []
        for connections in CONCURRENCY:
            ours = _jobs(product.port, bearer, ids, connections, args.seconds)
            theirs = _jobs(ceiling.port, bearer, ids, connections, args.seconds) if ceiling else {}
            for name, job in ours.items():
                await drive(Job(job.host, job.port, job.requests, connections, 0.5, job.expect))
                measured = Measured(name, connections, [], [])
                for _ in range(args.rounds):
                    measured.product.append(await drive(job))
                    if theirs:
                        measured.ceiling.append(await drive(theirs[name]))
                found.append(measured)
                print(_row(measured), flush=True)
        return found
    finally:
        await product.stop()
        if ceiling:
            await ceiling.stop()


def _row(measured: Measured) -> str:
    ours = measured.product
    wrong = sum(result.wrong for result in ours)
    cells = [
        f"{measured.operation:6}",
        f"{measured.connections:3}",
        f"{statistics.median(r.per_second for r in ours):8.0f}",
        f"{statistics.median(r.p50 for r in ours):7.2f}",
        f"{statistics.median(r.p99 for r in ours):7.2f}",
        f"{wrong:5}",
    ]
    if measured.ratio is not None:
        cells.append(f"{statistics.median(r.per_second for r in measured.ceiling):8.0f}")
        reached = measured.ratio >= TARGETS[measured.operation]
        cells.append(f"{measured.ratio:5.2f} (target {TARGETS[measured.operation]:.2f}{'' if reached else ', missed'})")
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ceiling", type=Path, help="a reference server to interleave with")
    parser.add_argument("--seconds", type=float, default=2.0, help="length of one measurement")
    parser.add_argument("--rounds", type=int, default=3, help="measurements of each kind")
    parser.add_argument("--sessions", type=int, default=1000, help="sessions there are before")
    parser.add_argument("--json", type=Path, help="also write the figures there")
    args = parser.parse_args()
    print(f"{platform.machine()}, {platform.system()} {platform.release()}, Python {platform.python_version()}")
    head = "| what   | at  | per s    | p50 ms  | p99 ms  | wrong |"
    print(head + (" ceiling  | ratio |" if args.ceiling else ""))
    with tempfile.TemporaryDirectory(prefix="prsm-bench-") as folder:
        found = asyncio.run(_measure(args, Path(folder) / "data"))
    if args.json:
        args.json.write_text(json.dumps([asdict(m) | {"ratio": m.ratio} for m in found], indent=1))
    if any(result.wrong for measured in found for result in measured.product):
        sys.exit("some answers had an unexpected status")


if __name__ == "__main__":
    main()
