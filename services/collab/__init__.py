"""Collab: shares, access checks, comments."""
