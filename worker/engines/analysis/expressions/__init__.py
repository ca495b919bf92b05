"""Formulas given by users: parsed into a small language of its own, never evaluated as Python."""
