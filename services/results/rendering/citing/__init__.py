"""Citation labels, lists of references, and references as data."""
