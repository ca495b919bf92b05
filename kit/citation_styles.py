"""The names of the citation styles that come with the product: they are there, whoever answers."""

from __future__ import annotations

BUILT_IN_STYLES = ("apa", "chicago", "chicago-notes", "harvard", "ieee", "nature", "vancouver")
