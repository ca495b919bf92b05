"""File names for downloads, and the header that carries them (RFC 6266, RFC 8187)."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote

MAX_BYTES = 120
"""The longest name in UTF-8, extension included; file systems allow 255."""

FIGURE_FOLDER = "figures"
"""Where drawings lie in the archive of raw data, named by their anchors."""

SCHEMA_FILE, MANIFEST, CHECKSUMS = "results.schema.json", "manifest.json", "SHA256SUMS"
"""Files of that archive."""

_FALLBACK = "results"
_SEPARATORS = re.compile(r'[\\/:*?"<>|\x00-\x1f\x7f]+')
_BLANKS = re.compile(r"[\s_]+")
# Names that Windows keeps for devices, whatever the extension.
_DEVICES = re.compile(r"^(?:con|prn|aux|nul|(?:com|lpt)[\d¹²³]|conin\$|conout\$|clock\$)(?:\.|$)", re.IGNORECASE)
# Control, format (direction marks among them), surrogate, private-use and unassigned characters.
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_ATTRIBUTE_CHARACTERS = "!#$&+-.^_`|~"


def safe_filename(title: str, extension: str) -> str:
    """A file name from a title: no path, no control or direction characters, no device name, bounded length."""
    name = _SEPARATORS.sub(" ", unicodedata.normalize("NFC", title))
    name = "".join(letter for letter in name if unicodedata.category(letter) not in _INVISIBLE)
    name = _BLANKS.sub(" ", name)
    name = _trim(name)
    if _DEVICES.match(name):
        name = f"_{name}"
    room = MAX_BYTES - len(extension.encode()) - 1
    while len(name.encode()) > room:
        name = name[:-1]
    return f"{_trim(name) or _FALLBACK}.{extension}"


def content_disposition(filename: str) -> str:
    """`attachment` with the name twice: in ASCII for old programs, and in full as `filename*`."""
    decomposed = unicodedata.normalize("NFKD", filename).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^A-Za-z0-9 ._()\[\],+=@-]", "", decomposed)
    stem, dot, extension = plain.rpartition(".")
    plain = f"{stem.strip() or _FALLBACK}{dot}{extension}"
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe=_ATTRIBUTE_CHARACTERS)}"


def _trim(name: str) -> str:
    # Leading dots hide a file, trailing dots and blanks are dropped by Windows, a leading dash looks like an option.
    return name.strip(" .-~")
