"""What the guided job works on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cli.errors import Refused

_SAMPLES = Path(__file__).resolve().parent.parent.parent / "samples" / "library"
_SAMPLE_PROMPT = "Why does the ocean take up carbon dioxide, and what limits the uptake?"
_DOCS_PROMPT = "What are the main findings of these documents, and what evidence do they give?"
_DATA_PROMPT = "Describe this data set: which variables are related, how strongly, and what stands out?"
_KINDS = (
    ".bib",
    ".bibtex",
    ".csljson",
    ".docx",
    ".htm",
    ".html",
    ".markdown",
    ".md",
    ".nxml",
    ".pdf",
    ".ris",
    ".text",
    ".txt",
    ".xhtml",
    ".xml",
)
_MOST_FILES = 1000
"""As many documents as a session may name."""


@dataclass(frozen=True, slots=True)
class DemoJob:
    """A session's type, question and files."""

    session_type: str
    prompt: str
    documents: tuple[Path, ...]
    dataset: Path | None
    on_samples: bool = False
    """Whether the documents are the sample library."""
    left_out: tuple[str, ...] = ()
    """Names of the folder's files that are of no kind of document."""

    @classmethod
    def of(cls, *, docs: Path | None, data: Path | None, prompt: str) -> DemoJob:
        """The sample library without `docs` and `data`; `data` alone is an analysis. Raises Refused."""
        if data is not None and not data.is_file():
            raise Refused(f"--data: there is no file {data}")
        if docs is not None:
            found, others = _files(docs)
            return cls("research", prompt or _DOCS_PROMPT, found, data, left_out=others)
        if data is not None:
            return cls("analysis", prompt or _DATA_PROMPT, (), data)
        return cls("research", prompt or _SAMPLE_PROMPT, _files(_SAMPLES)[0], None, on_samples=True)


def _files(folder: Path) -> tuple[tuple[Path, ...], tuple[str, ...]]:
    """The documents in a folder, and the names of its other files; what is hidden is neither."""
    if not folder.is_dir():
        raise Refused(f"--docs: there is no folder {folder}")
    shown = sorted(
        path for path in folder.rglob("*") if path.is_file() and not any(p.startswith(".") for p in path.parts[-2:])
    )
    found = tuple(path for path in shown if path.suffix.lower() in _KINDS)
    if not found:
        raise Refused(f"--docs: {folder} holds no documents ({', '.join(_KINDS)})")
    if len(found) > _MOST_FILES:
        raise Refused(f"--docs: {folder} holds {len(found)} documents; a session takes at most {_MOST_FILES}")
    return found, tuple(path.name for path in shown if path.suffix.lower() not in _KINDS)
