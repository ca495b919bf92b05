from __future__ import annotations

import subprocess
import sys

_HEAVY = ("typst", "vl_convert", "pypandoc", "docx", "lxml", "numpy", "grpc")


def test_the_service_side_loads_no_rendering_library() -> None:
    code = (
        "import sys, services.results.rendering.pool, services.results.rendering.serializer, "
        "services.results.rendering.filenames, services.results.usecases.export_parts, "
        "services.results.usecases.read_parts; "
        f"print([name for name in {_HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
