"""Turbopack's output, as Next 15.3 to 16.4 export it: what splitting a chunk needs to know and to change.

`chunks` reads a chunk and cuts it, `lists` puts the new chunk before the old one wherever that is named, `context`
tells what a factory asks of the runtime. Read off the runtimes of Next 15.3 to 16.4 (`turbopack-….js`; up to
15.4 a chunk of any name), which do this with a chunk:

- A chunk is a script that pushes one array on `globalThis.TURBOPACK`: its own script element (or its path), then module
  ids and factories. Before the runtime has run, `TURBOPACK` is a plain array, which the runtime drains when it
  starts, in the order of arrival; later pushes it takes at once. So a chunk may arrive before or after the runtime.
- Taking a chunk runs no module: factories go into a map by id, and the promise of the chunk's address is resolved. The
  first chunk that brings an id wins (Next puts equal modules into several chunks); up to 16.1 the first id of a
  group decides for all its ids, from 16.2 on an id that is new gets the factory that the others in its group have
  already. So a group of ids is never taken apart, and keeps its order.
- A module that is asked for while no chunk has brought it is an error ("the module factory is not available"), and the
  module that asked stays broken for good. Nothing is fetched on demand. Whoever runs a module must therefore have
  awaited all chunks of its graph before; these are the lists by which that is done:

  1. `otherChunks` of the runtime's parameters: all are awaited, then `runtimeModuleIds` run. They are never fetched:
     the page must hold a script tag for each. The parameters are pushed by the runtime's script up to 16.3, by an
     inline script of each page in 16.4 (for pages of the pages router: also `__TURBOPACK_PAGE_BOOTSTRAP` in
     `_buildManifest.js`), for workers by a script of their own.
  2. Lazy loads, `Promise.all([…].map(c => e.l(c)))`: each is fetched, unless the page has a tag with that address,
     and each is awaited. `e.A(id)` runs the module that holds such a list.
  3. React's client references in flight data, `I[id, [chunks], name]`: `e.L` fetches and awaits each in the same way.
  4. Workers, `e.b([…])` up to 16.1, later behind the path of `turbopack-worker-….js`: `importScripts` of all, in order.
     A chunk finds its own address by taking the next one off that list: one that is not on it shifts all others'.
  5. The pages router: `__turbopack_load_page_chunks__(page, […])` does as a lazy load does.

  Members may be objects with `path`, `included` and `moduleChunks` in the runtime's code; no build for production was
  seen to write them, and a chunk that is named in one is not split.

So a module may move into another chunk when every list that holds the old chunk comes to hold the new one as well, and
every page with a tag for the old one has one for the new. Then, in every order of arrival, whoever awaited the old
chunk awaits both, and evaluation stays as it was: it is driven by the modules' own requires alone.
"""
