"""The ports on SQL."""
