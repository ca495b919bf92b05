"""What every service needs, and nothing of any service."""
