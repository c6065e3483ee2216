"""One module a file format: which spans of it mean something, and how small it can be."""
