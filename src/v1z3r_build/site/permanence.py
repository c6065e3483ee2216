"""Files whose names are known to the world, to hosts or to a framework's client: never renamed, never copied."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from v1z3r_build.site.asset import Kind

# Names that crawlers, browsers, hosts and installers ask for by themselves.
_FIXED = re.compile(
    r"robots\.txt|humans\.txt|ads\.txt|app-ads\.txt|llms(-full)?\.txt|security\.txt|favicon\.(ico|svg|png)"
    r"|apple-touch-icon.*\.png|browserconfig\.xml|crossdomain\.xml|_headers|_redirects|_routes\.json|_worker\.js"
    r"|CNAME|\.nojekyll|staticwebapp\.config\.json|vercel\.json|netlify\.toml|manifest\.json|opensearch\.xml"
    r"|ngsw\.json|asset-manifest\.json|version\.json"
)
_SERVICE_WORKERS = re.compile(
    r"(service-?worker|sw|ngsw-worker|firebase-messaging-sw|OneSignalSDKWorker|OneSignalSDKUpdaterWorker)\.m?js", re.I
)


def reason(path: str, kind: Kind) -> str:
    """Why a file's name must stay, '' when it may change. Judged by the name alone."""
    folder, name = posixpath.split(path)
    if kind == "html":
        return "a page is known by its URL"
    if ".well-known/" in path or _FIXED.fullmatch(name):
        return "its name is a convention that outsiders ask for"
    if name.endswith((".webmanifest", ".appcache")) or _is_feed(path):
        return "installed apps and feed readers come back to its URL"
    if is_service_worker(path):
        return "a service worker is known by its URL"
    if "_next/data/" in path:
        return "Next.js computes its name from the route and the build id"
    if re.search(r"_next/static/(?!chunks/|css/|media/|js/)[^/]+/", path):
        return "Next.js computes its name from the build id"
    if kind == "text" and name.endswith(".txt"):
        return "a text is known by its URL"
    if kind == "text" and folder == "":
        return "a text at the root is known by its URL"
    if name.endswith((".map", ".LICENSE.txt")):
        return "only tools ask for it"
    return ""


def is_service_worker(path: str) -> bool:
    """Whether a file has the name by which a framework registers its service worker."""
    return _SERVICE_WORKERS.fullmatch(posixpath.basename(path)) is not None


def _is_feed(path: str) -> bool:
    return path.endswith((".rss", ".atom", ".xml"))
