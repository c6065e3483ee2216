"""One module a bundler: what its output looks like and which names in it carry a hash."""
