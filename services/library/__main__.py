"""python -m services.library"""

from __future__ import annotations

from kit import starting

if __name__ == "__main__":
    starting.begin()

from kit.logging import configure
from kit.rpc.serve import run
from kit.settings import from_environment
from services.library.app import NAME, serve
from services.library.settings import LibrarySettings


def main() -> None:
    settings = from_environment(LibrarySettings)
    configure(NAME, settings.log_level)
    run(serve(settings))


if __name__ == "__main__":
    main()
