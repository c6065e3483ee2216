"""Engines of others that minify or check, each behind a function of bytes."""
