"""From bytes to a typed table: encoding, dialect, records, cell types. Every guess comes back as a decision."""
