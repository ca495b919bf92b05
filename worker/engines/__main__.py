"""What engines this environment offers, and what the session service must be told of those that are plug-ins.

    python -m worker.engines

Prints a line for each engine and, where there are plug-ins, the value of `PRSM_SESSION_ENGINES`. Ends with 1 when a
plug-in cannot be loaded or breaks the interface.
"""

from __future__ import annotations

import json
import sys

from worker.engines.registry import BUILT_IN, BadPlugIn, Registry


def main() -> int:
    """The exit status."""
    registry = Registry.of()
    settings: dict[str, dict[str, object]] = {}
    status = 0
    for name in registry.names:
        try:
            engine = registry.load(name)
        except BadPlugIn as error:
            print(f"{name}: {error}", file=sys.stderr)  # noqa: T201
            status = 1
            continue
        types = sorted(engine.session_types)
        print(f"{name}: {', '.join(types)}{'' if engine.pausable else '; cannot be paused'}")  # noqa: T201
        if name not in BUILT_IN:
            settings[name] = {"types": types, "pausable": engine.pausable}
    if settings:
        print(f"PRSM_SESSION_ENGINES='{json.dumps(settings)}'")  # noqa: T201
    return status


if __name__ == "__main__":
    sys.exit(main())
