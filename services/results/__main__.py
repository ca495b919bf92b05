"""python -m services.results"""

from __future__ import annotations

from kit import starting

if __name__ == "__main__":
    starting.begin()

from kit.logging import configure
from kit.rpc.serve import run
from kit.settings import from_environment
from services.results.app import NAME, serve
from services.results.settings import ResultsSettings


def main() -> None:
    settings = from_environment(ResultsSettings)
    configure(NAME, settings.log_level)
    run(serve(settings))


if __name__ == "__main__":
    main()
