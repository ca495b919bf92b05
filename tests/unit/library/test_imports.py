"""A process starts quickly because it loads only what it needs: files are read in processes of their own."""

from __future__ import annotations

import subprocess
import sys

NOT_NEEDED = {"scipy", "pandas", "statsmodels", "pypdfium2", "docx", "lxml", "selectolax"}


def test_the_service_loads_no_parser_of_foreign_formats() -> None:
    program = "import sys, services.library.app; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert "services.library.app" in loaded.stdout.split()
    assert NOT_NEEDED & set(loaded.stdout.split()) == set()
