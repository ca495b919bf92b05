"""Benchmarks. They send traffic to the loopback only, are bounded in time, and end what they started."""
