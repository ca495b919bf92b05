"""The embedded default: every part of the product as a process of its own, watched by `prsm up`."""
