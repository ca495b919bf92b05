"""The synthesis engine: completed sessions merged into one result document."""
