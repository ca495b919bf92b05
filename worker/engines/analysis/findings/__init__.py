"""Results in words: what was found, how large it is, how sure one can be."""
