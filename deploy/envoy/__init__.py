"""Envoy as the edge: its configuration, made from the contract."""
