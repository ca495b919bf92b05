"""From a result document to the report that all formats are written from."""
