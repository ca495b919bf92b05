"""The citation styles that there are beside those that come with the product: the installation's, and users' own."""
