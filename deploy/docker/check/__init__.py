"""Proof of the images' recipe on a machine without a container engine; see `__main__`."""
