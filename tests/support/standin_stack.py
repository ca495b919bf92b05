"""`prsm up` with stand-ins for every part but the broker:
`python standin_stack.py DATA_DIR PORT [STARTUP_SECONDS [FORCE_AFTER]]`.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from cli.errors import Refused
from cli.stack.options import StackOptions
from cli.stack.part import Patience
from cli.stack.running import run_stack, say
from cli.stack.stack import Stack

STANDIN = Path(__file__).resolve().parent / "standin.py"


def program(module: str) -> tuple[str, ...]:
    return (sys.executable, "-I", "-S", str(STANDIN), module)


async def main(data_dir: str, port: str, startup: str = "60", force_after: str = "2") -> int:
    options = StackOptions(Path(data_dir), int(port), workers=2)
    patience = Patience(startup=float(startup), first_backoff=0.01)
    stack = Stack(options, say=say, patience=patience, program=program)
    return await run_stack(stack, force_after=float(force_after))


if __name__ == "__main__":
    try:
        sys.exit(asyncio.run(main(*sys.argv[1:])))
    except Refused as refusal:
        say(str(refusal))
        sys.exit(refusal.code)
