"""Figures as Vega-Lite specifications with their data inlined (at most 2,000 points)."""
