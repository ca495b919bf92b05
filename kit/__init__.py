"""What every service needs, and nothing of any service."""

import os

# Our children are new programs, never copies that go on: gRPC's preparations for a fork do nothing for them, and with
# calls under way in several threads they sometimes crash a child before its program begins. Read when gRPC starts.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "false")
