"""The REST gateway: HTTP and JSON on one side, plain gRPC bytes on the other, no rule of its own."""
