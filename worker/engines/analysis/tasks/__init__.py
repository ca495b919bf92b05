"""One module per kind of task; `registry` knows which kinds there are."""
