"""Keywords in context, as an engine of PRSM."""
