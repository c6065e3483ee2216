"""webpack's output: chunks, runtimes, and what it takes to move modules out of a chunk into a new one.

`chunk` reads a chunk and moves modules out of it, `runtime` reads the runtime, `registration` makes the runtime
load and await new chunks, `entry` makes the start of a file that holds runtime and modules as well wait for new chunks,
`build_manifest` lists new chunks for Next's pages router.

A split needs more, which is not done here:

- Pages. Where a page's HTML has a `<script>` for the old chunk, it gets one for the new chunk before it, with the same
  attributes (`async`, `defer`, `nonce`, `crossorigin`; `integrity` is the new file's own); the same goes for
  `<link rel=preload as=script>`, `rel=prefetch` and `Link:` headers. Flight rows (Next's app router) need nothing:
  the chunks that they name are loaded by `X.e`.
- All runtimes that may load the chunk: those of the site with the chunk's queue must all be registered. If one of them
  is refused (a worker's, say), or waits for no entries while the chunk has a callback, or loads nothing while a page
  cannot be edited, the chunk stays whole.
- Ids: of new chunks, not those of any chunk of the queue.
"""
