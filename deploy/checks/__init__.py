"""Offline checks of everything under `deploy/`: `python -m deploy.checks`."""
