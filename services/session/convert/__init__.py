"""The only place where messages meet the domain."""
