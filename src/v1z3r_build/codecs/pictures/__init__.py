"""Raster images in, smaller ones out that look the same or are the same. `recoding.recode` is the way in."""
