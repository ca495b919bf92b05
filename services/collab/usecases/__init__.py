"""One file per RPC."""
