"""Run a worker: settings from the environment, until SIGTERM or SIGINT."""

from __future__ import annotations

from kit import starting

if __name__ == "__main__":
    starting.begin()

import sys

from kit.logging import configure
from kit.settings import from_environment
from worker.app import NAME, serve
from worker.engines.registry import UnknownEngine
from worker.settings import WorkerSettings


def main() -> None:
    """Exit with 2 and one clear line when the settings do not fit."""
    import uvloop

    starting.begun()
    settings = from_environment(WorkerSettings)
    configure(NAME, settings.log_level)
    try:
        uvloop.run(serve(settings))
    except (OSError, ValueError, UnknownEngine) as error:
        sys.stderr.write(f"worker: {error}\n")
        sys.exit(2)


if __name__ == "__main__":
    main()
