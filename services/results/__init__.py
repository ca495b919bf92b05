"""Results: what sessions found, as JSON and as documents to hand in."""
