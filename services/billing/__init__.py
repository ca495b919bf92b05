"""Billing: accounts, estimates, holds, the ledger, quotas."""
