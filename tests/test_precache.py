"""Lists of what is fetched for use without network: where a vendor's file goes on them, and where that is not known."""

from __future__ import annotations

import pytest

from v1z3r_build.bundlers.passage import written
from v1z3r_build.bundlers.precache import Neighbour, list_beside

LISTED: dict[str, tuple[str, str]] = {
    "an entry of Workbox's gets a neighbour whose name says it all": (
        'e.precacheAndRoute([{url:"/a.css",revision:"12"},{url:"/x/main-1.js",revision:"ab"}],{})',
        'e.precacheAndRoute([{url:"/a.css",revision:"12"},{url:"/x/three.js",revision:null},{url:"/x/main-1.js",revision:"ab"}],{})',
    ),
    "an entry without a revision": (
        'm([{"revision":null,"url":"x/main-1.js"}])',
        'm([{"revision":null,"url":"x/three.js"},{"revision":null,"url":"x/main-1.js"}])',
    ),
    "the revision before the URL": (
        'm([{"revision":"ab","url":"x/main-1.js"}])',
        'm([{"revision":null,"url":"x/three.js"},{"revision":"ab","url":"x/main-1.js"}])',
    ),
    "a string among entries": (
        'self.__WB=[{url:"a",revision:null},"/x/main-1.js"]',
        'self.__WB=[{url:"a",revision:null},"/x/three.js","/x/main-1.js"]',
    ),
    "strings that a cache fetches": (
        "caches.open('v').then(c=>c.addAll(['/','/x/main-1.js']))",
        "caches.open('v').then(c=>c.addAll(['/','/x/three.js','/x/main-1.js']))",
    ),
    "a constant that a cache fetches": (
        "const A=['/x/main-1.js'];self.oninstall=()=>caches.open('v').then(c=>c.addAll(A))",
        "const A=['/x/three.js','/x/main-1.js'];self.oninstall=()=>caches.open('v').then(c=>c.addAll(A))",
    ),
    # What SvelteKit makes of the service worker of its documentation.
    "paths below the worker's folder": (
        "const a=location.pathname.split('/').slice(0,-1).join('/'),m=[a+'/x/main-1.js',a+'/x/0.css'],n=[a+'/i.png'],"
        "l=[...m,...n];self.oninstall=()=>caches.open('v').then(c=>c.addAll(l));onfetch=e=>l.includes(e.u)&&go(e)",
        "const a=location.pathname.split('/').slice(0,-1).join('/'),m=[a+'/x/three.js',a+'/x/main-1.js',a+'/x/0.css'],n=[a+'/i.png'],"
        "l=[...m,...n];self.oninstall=()=>caches.open('v').then(c=>c.addAll(l));onfetch=e=>l.includes(e.u)&&go(e)",
    ),
    "templates without parts, as rolldown writes strings": (
        "const A=[`/x/main-1.js`],B=[b+`/x/main-1.js`];c.addAll(A);c.addAll(B)",
        "const A=[`/x/three.js`,`/x/main-1.js`],B=[b+`/x/three.js`,b+`/x/main-1.js`];c.addAll(A);c.addAll(B)",
    ),
    "an entry of Workbox's in templates": (
        "m([{url:`x/main-1.js`,revision:null}])",
        "m([{url:`x/three.js`,revision:null},{url:`x/main-1.js`,revision:null}])",
    ),
    "an array that is spread in place": (
        "const A=['/x/main-1.js'];c.addAll([...A,'/'])",
        "const A=['/x/three.js','/x/main-1.js'];c.addAll([...A,'/'])",
    ),
    "a JSON list": (
        '[\n  {"url": "/x/main-1.js", "revision": "ab"}\n]',
        '[\n  {"url": "/x/three.js", "revision": null},{"url": "/x/main-1.js", "revision": "ab"}\n]',
    ),
    "a list inside a JSON object": (
        '{"files":[{"url":"/x/main-1.js","revision":null}]}',
        '{"files":[{"url":"/x/three.js","revision":null},{"url":"/x/main-1.js","revision":null}]}',
    ),
    "a group of Angular's, and its digest": (
        '{"assetGroups":[{"name":"a","installMode":"lazy","urls":["/x/main-1.js","/i.png"]}],"hashTable":{"/i.png":"'
        + "1" * 40
        + '",\n  "/x/main-1.js": "'
        + "2" * 40
        + '"}}',
        '{"assetGroups":[{"name":"a","installMode":"lazy","urls":["/x/three.js","/x/main-1.js","/i.png"]}],"hashTable":{"/i.png":"'
        + "1" * 40
        + '",\n  "/x/three.js": "'
        + "3" * 40
        + '","/x/main-1.js": "'
        + "2" * 40
        + '"}}',
    ),
    # `addAll` rejects what is to fetch something twice, and the worker is not installed.
    "chunks that share a vendor's file": (
        "c.addAll(['/x/main-1.js','/x/main-2.js','/x/main-1.js?a'])",
        "c.addAll(['/x/three.js','/x/main-1.js','/x/main-2.js','/x/main-1.js?a'])",
    ),
    "another list of the same": (
        "c.addAll(['/x/main-1.js']);d.addAll(['/x/main-2.js'])",
        "c.addAll(['/x/three.js','/x/main-1.js']);d.addAll(['/x/three.js','/x/main-2.js'])",
    ),
    "another file of the same name": (
        'm([{url:"/y/main-1.js",revision:null}])',
        'm([{url:"/y/main-1.js",revision:null}])',
    ),
}

REFUSED = {
    "a table of other digests": '{"hashTable":{"/x/main-1.js":"%s"}}' % ("2" * 64),
    "a table of digests by another name": '{"hashes":{"/x/main-1.js":"%s"}}' % ("2" * 40),
    "URLs of no group": '{"urls":["/x/main-1.js"]}',
    "an array that is read by place": "const A=['/x/main-1.js','/b'];c.addAll(A);go(A[1])",
    "an array that may be changed": "let A=['/x/main-1.js'];c.addAll(A)",
    "an array that is counted": "const A=['/x/main-1.js'];c.addAll(A);if(A.length>1)go()",
    "an array that others can see": "addAll.list=['/x/main-1.js']",
    "an array that others import": "export const A=['/x/main-1.js'];c.addAll(A)",
    "lists that are fetched together": "const A=['/x/main-1.js'],B=['/x/main-2.js'];c.addAll([...A,...B])",
    "a list that is fetched with a part of its own": "const A=['/x/main-1.js'];c.addAll([...A,'/x/main-2.js'])",
    "a folder that is written with escapes": "c.addAll(['/x/it\\'s/main-1.js'])",
    "an array that is only asked": "const A=['/x/main-1.js'];go(A.includes(u))",
    "an array that is searched": "const A=['/x/main-1.js'];c.addAll(A);go(A.indexOf(u))",
    "an array that is given away": "const A=['/x/main-1.js'];c.addAll(A);go(A.includes)",
    "an array that is spread into arguments": "const A=['/x/main-1.js'];c.addAll(A);go(...A)",
    "an array that is spread into one that is read": "const A=['/x/main-1.js'],B=[...A];c.addAll(B);go(B[0])",
    "an array of itself": "const A=['/x/main-1.js',...A];c.addAll(A)",
    "paths below another folder": "c.addAll([b+'/y/main-1.js'])",
    "a path that is no segment": "c.addAll([b+'x/main-1.js'])",
    "what is put together of calls": "c.addAll([b()+'/x/main-1.js'])",
    "what is not added": "c.addAll([b-'/x/main-1.js'])",
    "a test of names": "onfetch=e=>e.request.url.endsWith('/x/main-1.js')",
    "a table of digests": '{"hashTable":{"/x/main-1.js":"ab"}}',
    "an entry that tells of the file": 'm([{url:"/x/main-1.js",revision:null,integrity:"sha384-a"}])',
    "a comment": "// precaches /x/main-1.js\nc.addAll(['/x/main-1.js'])",
    "a name that is put together": "c.addAll([`/x/main-1.js?${v}`])",
    "what does not parse": "c.addAll(['/x/main-1.js')",
}


def vendors(url: str) -> list[Neighbour] | None:
    return [Neighbour(f"{url.rpartition('/')[0]}/three.js", "3" * 40, "x/three.js")] if "x/" in url else None


@pytest.mark.parametrize(("before", "after"), LISTED.values(), ids=LISTED)
def test_a_vendors_file_is_listed(before: str, after: str) -> None:
    edits = list_beside(before.encode(), [b"main-1.js", b"main-2.js"], vendors)
    assert edits is not None
    assert written(before.encode(), 0, len(before), edits).decode() == after


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_what_is_not_understood_is_refused(text: str) -> None:
    assert list_beside(text.encode(), [b"main-1.js", b"main-2.js"], vendors) is None
