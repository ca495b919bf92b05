"""Datasets of a test as files, as sources give them to engines."""

from __future__ import annotations

import shutil
import weakref
from pathlib import Path
from tempfile import mkdtemp


class DatasetFiles:
    """A folder that goes with its owner."""

    def __init__(self) -> None:
        self._folder = Path(mkdtemp(prefix="prsm-test-datasets-"))
        self._remove = weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)

    def put(self, document_id: str, data: bytes) -> str:
        """The path of a file with these bytes."""
        path = self._folder / document_id.encode().hex()
        path.write_bytes(data)
        return str(path)
