"""Arithmetic that keeps its digits: exact where the data is small, compensated and refined elsewhere."""
