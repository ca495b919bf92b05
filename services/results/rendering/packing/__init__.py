"""The archive around a report: what was gathered, as data."""
