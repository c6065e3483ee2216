"""Who does the heavy work: a pool of guarded processes."""
