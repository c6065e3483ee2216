"""What a site is: its files, and how they are read from a folder and published to one."""

from v1z3r_build.site.asset import Asset, Kind
from v1z3r_build.site.site import Site

__all__ = ["Asset", "Kind", "Site"]
