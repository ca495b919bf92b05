"""What was done, step by step, and a script that does it again with plain numpy, scipy and pandas."""
