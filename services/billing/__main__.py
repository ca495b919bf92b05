"""python -m services.billing"""

from __future__ import annotations

from kit import starting

if __name__ == "__main__":
    starting.begin()

from kit.logging import configure
from kit.rpc.serve import run
from kit.settings import from_environment
from services.billing.app import NAME, serve
from services.billing.settings import BillingSettings


def main() -> None:
    settings = from_environment(BillingSettings)
    configure(NAME, settings.log_level)
    run(serve(settings))


if __name__ == "__main__":
    main()
