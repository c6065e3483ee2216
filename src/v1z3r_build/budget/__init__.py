"""Limits on what browsers transfer: read, checked against a manifest, and told to people and to programs."""
