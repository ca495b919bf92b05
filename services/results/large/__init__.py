"""Results too large to be held in memory: an index of the stored document, and what is read by it."""
