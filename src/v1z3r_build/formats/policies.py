"""What a Content-Security-Policy says of style attributes."""

from __future__ import annotations

import re


def allows_style_attributes(policy: str) -> bool:
    """Whether elements may have `style` attributes under a policy (CSP 3 §8.3, "unsafe-inline").

    policy: the value of the header or of a `<meta>`; all policies of a list hold.
    """
    return all(map(_allows, policy.split(",")))


def _allows(policy: str) -> bool:
    directives: dict[str, list[str]] = {}
    for directive in policy.split(";"):
        name, *sources = directive.lower().split() or [""]
        directives.setdefault(name, sources)
    for name in ("style-src-attr", "style-src", "default-src"):
        if name in directives:
            sources = directives[name]
            # Hashes and nonces take `'unsafe-inline'` away (CSP 3 §6.7.3.2).
            return "'unsafe-inline'" in sources and not any(one.startswith(("'nonce-", "'sha")) for one in sources)
    return True


# `  Content-Security-Policy: …` below a line with a path, as Netlify and Cloudflare Pages read it. A policy that only
# reports says so in the console.
_HEADER = re.compile(r"^[ \t]+content-security-policy(?:-report-only)?[ \t]*:(.*)$", re.I | re.M)


def of_headers(data: bytes) -> tuple[str, ...]:
    """All policies in a `_headers` file, whatever pages they are for."""
    return tuple(found.strip() for found in _HEADER.findall(data.decode("utf-8", "replace")))
