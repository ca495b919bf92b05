"""Run Envoy: settings from the environment (`PRSM_ENVOY_…`), until SIGTERM or SIGINT.

    python -m deploy.envoy [FOLDER]

Renders the configuration into FOLDER (a temporary one if not given), starts the program `envoy` on it, and on a signal
drains before it ends: new connections are refused, and requests under way have `drain_seconds` to finish. This is how
the Envoy image and `prsm up --edge envoy` run it; to run Envoy otherwise, `python -m deploy.envoy.render` only renders.
"""

from __future__ import annotations

import asyncio
import ctypes
import json
import re
import signal
import sys
import tempfile
from pathlib import Path

import aiohttp

from deploy.envoy.program import find_envoy
from deploy.envoy.render import render, settings_from, write_secrets
from deploy.envoy.settings import EdgeSettings

_PR_SET_PDEATHSIG = 1
_POLL = 0.05
_UNDER_WAY = re.compile(r"^http\.https?\.downstream_rq_active: (\d+)$", flags=re.MULTILINE)


def main(arguments: list[str]) -> int:
    """Envoy's exit status; 2 and one clear line when the settings do not fit or there is no Envoy."""
    try:
        settings = settings_from({})
        with tempfile.TemporaryDirectory(prefix="prsm-envoy-") as fallback:
            return asyncio.run(_run(settings, Path(arguments[0] if arguments else fallback)))
    except (ValueError, OSError) as error:
        sys.stderr.write(f"envoy: {error}\n")
        return 2


async def _run(settings: EdgeSettings, folder: Path) -> int:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    admin = folder / "envoy.admin"
    process = await asyncio.create_subprocess_exec(
        *_command(settings, folder, admin), preexec_fn=_end_with_parent, process_group=0
    )
    ended, asked = asyncio.create_task(process.wait()), asyncio.create_task(stopping.wait())
    await asyncio.wait([ended, asked], return_when=asyncio.FIRST_COMPLETED)
    asked.cancel()
    if ended.done():
        # Envoy says by itself, on standard error, what it could not do.
        return max(ended.result(), 1)
    await _drain(admin.read_text() if admin.exists() else "", settings.drain_seconds)
    process.terminate()
    await ended
    return 0


def _command(settings: EdgeSettings, folder: Path, admin: Path) -> list[str]:
    program, config = find_envoy(), folder / "envoy.json"
    write_secrets(settings)
    config.write_text(json.dumps(render(settings)))
    admin.unlink(missing_ok=True)
    command = [str(program), "-c", str(config), "--admin-address-path", str(admin), "--disable-hot-restart"]
    command += ["--drain-time-s", str(max(1, round(settings.drain_seconds))), "--log-level", settings.log_level]
    return [*command, "--concurrency", str(settings.concurrency)] if settings.concurrency else command


def _end_with_parent() -> None:
    """In the child, before exec: whatever ends this process, Envoy does not outlive it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


async def _drain(admin: str, seconds: float) -> None:
    """Take no more connections, and return when no request is under way or the time is over."""
    try:
        async with asyncio.timeout(seconds), aiohttp.ClientSession(f"http://{admin}") as client:
            async with client.post("/drain_listeners"):
                pass
            under_way = 1
            while under_way:
                async with client.get("/stats?filter=downstream_rq_active") as response:
                    under_way = sum(map(int, _UNDER_WAY.findall(await response.text())))
                await asyncio.sleep(_POLL)
    except (OSError, ValueError, TimeoutError, aiohttp.ClientError):
        return  # It is over, or Envoy is gone or was never up.


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
