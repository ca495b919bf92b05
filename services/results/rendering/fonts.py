"""Fonts for the scripts that the typesetter's own do not cover: where they lie, and in which order they are tried.

The files come in packages of the environment, so that a report looks the same on every machine; fonts of the system
are not used, because two machines would then set the same report differently.
"""

from __future__ import annotations

import os
from functools import cache
from importlib.util import find_spec
from pathlib import Path

FONT_PATH_VARIABLE = "PRSM_RENDERING_FONTS"
"""Folders with further fonts, parted by the path separator."""

# The folder of each package that holds fonts, "" for all of it. Packages are looked up, never imported.
_PACKAGES = {
    "justmytype_western_core": "",
    "justmytype_intl_rtl": "",
    "justmytype_intl_south_asia": "",
    "justmytype_intl_sea": "",
    "justmytype_intl_africa": "",
    "noto_cjk_sans_otc": "",
    "imgui_bundle": "demos_assets/fonts",
    "weblate_fonts": "static/weblate_fonts/kurinto/ttf",
}

TEXT = ("Libertinus Serif",)
"""The face of the text: Latin, Greek, Cyrillic and Hebrew."""

_HAN = {"ja": "JP", "ko": "KR", "zh-tw": "TC", "zh-hant": "TC", "zh-hk": "HK", "zh-mo": "HK"}
_OTHERS = (
    "Noto Serif",
    "Noto Sans",
    "Noto Sans Arabic",
    "Noto Sans Hebrew",
    "Noto Sans Devanagari",
    "Noto Sans Bengali",
    "Noto Sans Tamil",
    "Noto Sans Telugu",
    "Noto Sans Thai",
    "Noto Sans Lao",
    "Noto Sans Khmer",
    "Noto Sans Myanmar",
    "Noto Sans Ethiopic",
)
_SYMBOLS = ("New Computer Modern Math", "STIX Two Math", "Noto Sans Symbols 2", "Noto Emoji")
_REST = ("Kurinto Sans", "DejaVu Sans Mono")
"""What no font above has: Georgian, Gujarati, Kannada, Sinhala, Cherokee, Javanese and many more."""


def font_folders() -> tuple[str, ...]:
    """Folders with fonts: those of the installed packages, then those that the operator names."""
    return (*_packaged(), *named_folders())


def named_folders() -> tuple[str, ...]:
    """Folders with fonts that the operator names."""
    return tuple(folder for folder in os.environ.get(FONT_PATH_VARIABLE, "").split(os.pathsep) if folder)


@cache
def _packaged() -> tuple[str, ...]:
    found = []
    for package, part in _PACKAGES.items():
        spec = find_spec(package)
        for place in (spec.submodule_search_locations or ()) if spec else ():
            folder = Path(place) / part
            if folder.is_dir():
                found.append(str(folder))
    return tuple(found)


def families(language: str) -> tuple[str, ...]:
    """Family names in the order to try, for a text in `language` (BCP 47): Han characters have forms by language."""
    tag = language.lower()
    han = next((region for prefix, region in _HAN.items() if tag == prefix or tag.startswith(f"{prefix}-")), "SC")
    return (*TEXT, *_OTHERS, f"Noto Sans CJK {han}", *_SYMBOLS, *_REST)
