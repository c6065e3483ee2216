"""The pipeline, one module a pass: each takes a Site and its settings and returns a Site."""
