"""Images: what belongs into each, and the steps that make them."""
