"""The research engine: from a prompt and a library to an answer whose every statement carries a quote."""
