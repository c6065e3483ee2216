"""What a Content-Security-Policy says of style attributes."""

from __future__ import annotations


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
