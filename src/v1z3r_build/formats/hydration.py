"""Pages that a framework's client takes over: it compares the markup with what it would render itself."""

from __future__ import annotations

import re

# What servers of React, Next, Vue, Nuxt, Svelte, Solid, Astro, Angular, Qwik, Remix, Lit and Preact leave in a
# page that their client takes over. `<!--[-->` and `<!--[!-->` are Vue's and Svelte's; `<!--[if IE]>` is none of them.
_MARKS = re.compile(
    rb"__NEXT_DATA__|__next_f|data-reactroot|data-react-helmet|<!-- -->|<!--/?\$|<!--/?[\[\]][!\d-]*-->|<!--v-if-->|"
    rb"<!--/?lit-|<!--(?:#|/)-->|data-server-rendered|data-ssr|data-v-app|__NUXT|__sveltekit|data-sveltekit|data-hk=|_\$HY|"
    rb"<astro-|ng-server-context|id=[\"']?ng-state|\bngh=|\bng-version=|q:container|__remixContext|__reactRouterContext|"
    rb"___gatsby|data-emotion|data-styled|__PRELOADED_STATE__|__INITIAL_STATE__|id=[\"']?__next\b"
)


def is_hydrated(data: bytes) -> bool:
    """Whether a page bears the marks of a framework that takes it over."""
    return _MARKS.search(data) is not None
