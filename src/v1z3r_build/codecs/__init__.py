"""Bytes in, bytes out: the codings of sidecars and pictures."""
