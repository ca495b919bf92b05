"""python -m services.session: one process of the session service."""

from __future__ import annotations

from kit import starting

if __name__ == "__main__":
    starting.begin()

from kit.logging import configure
from kit.rpc.serve import run
from kit.settings import from_environment
from services.session.app import NAME, serve
from services.session.settings import SessionSettings


def main() -> None:
    settings = from_environment(SessionSettings)
    configure(NAME, settings.log_level)
    run(serve(settings))


if __name__ == "__main__":
    main()
