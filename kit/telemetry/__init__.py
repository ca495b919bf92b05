"""What operators see of a process: ids in logs, traces, metrics. Nothing here knows any service."""
