"""Text helpers that the research and the synthesis engine share: pure functions, no I/O."""
