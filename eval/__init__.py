"""Quality measured on real collections: the running product, asked over its API, beside public baselines."""
