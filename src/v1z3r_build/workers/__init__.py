"""Who does the heavy work: a pool of guarded processes, a cluster, and the memory of earlier runs."""
