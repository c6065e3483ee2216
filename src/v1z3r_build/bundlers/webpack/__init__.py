"""webpack's output: chunks, runtimes, and what it takes to move modules out of a chunk into a new one.

`chunk` reads a chunk and moves modules out of it, `runtime` reads the runtime, `registration` makes the runtime
load and await new chunks, `build_manifest` lists them for Next's pages router.

A split needs one thing more, which is not done here: pages. Where a page's HTML has a `<script>` for the old
chunk, it gets one for the new chunk before it, with the same attributes (`async`, `defer`, `nonce`, `crossorigin`,
no `integrity` but the new file's own); the same goes for `<link rel=preload as=script>`, `rel=prefetch` and
`Link:` headers. Flight rows (Next's app router) need nothing: chunks that they name are loaded by `X.e`.
"""
