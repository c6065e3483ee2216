"""Static-site build optimizer: makes an exported web app load faster and cache for a year."""

__version__ = "0.1.0"
