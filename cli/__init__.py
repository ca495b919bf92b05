"""`prsm`: run the whole product on one machine, mint tokens, and drive sessions."""
