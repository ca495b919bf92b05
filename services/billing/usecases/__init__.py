"""One file per RPC, and one per event."""
