"""The message broker: its connection, what is sent there and what is read from there."""

from kit.starting import without

# An HTTP client, for brokers behind WebSockets: ours are spoken to over TCP, and loading it takes a tenth of a start.
with without("aiohttp"):
    import nats  # noqa: F401
