"""Run the gateway: settings from the environment, until SIGTERM or SIGINT."""

from __future__ import annotations

from kit import starting

if __name__ == "__main__":
    starting.begin()

import asyncio
import resource
import signal
import sys

import structlog
import uvloop
from pydantic import ValidationError

from gateway.app import start
from gateway.settings import GatewaySettings
from kit.logging import configure


async def serve(settings: GatewaySettings) -> None:
    """Serve until a signal comes, then drain."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    gateway = await start(settings)
    log = structlog.get_logger("gateway")
    log.info("listening", port=gateway.port)
    await stopping.wait()
    log.info("stopping")
    await gateway.stop()


def main() -> None:
    """Exit with 2 and one clear line when the settings or the contract do not fit."""
    try:
        starting.begun()
        settings = GatewaySettings.model_validate({})
        configure("gateway", settings.log_level)
        # Each client is an open file; where nobody said otherwise, a process may have a thousand.
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        uvloop.run(serve(settings))
    except ValidationError as error:
        faults = "; ".join(
            f"PRSM_GATEWAY_{'.'.join(map(str, fault['loc']))}".upper() + f": {fault['msg']}"
            if fault["loc"]
            else fault["msg"]
            for fault in error.errors()
        )
        sys.exit(_say(faults))
    except (ValueError, OSError) as error:
        sys.exit(_say(str(error)))


def _say(line: str) -> int:
    sys.stderr.write(f"gateway: {line}\n")
    return 2


if __name__ == "__main__":
    main()
