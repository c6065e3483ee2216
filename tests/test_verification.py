"""`verify` on outputs in which one thing was changed after they were made."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from v1z3r_build import cli
from v1z3r_build.verification import verify

if TYPE_CHECKING:
    from pathlib import Path

INLINE = "a = 1;\n\n\nimport('./b.js')"


def csp(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


FILES = {
    "index.html": '<!doctype html><html><head><meta http-equiv="Content-Security-Policy" '
    f"content=\"script-src 'self' '{csp(INLINE)}'\"><title>x</title></head><body><script>{INLINE}</script>"
    f'<script src="a.js" integrity="{csp("b()//a")}"></script><img src="i.svg"></body></html>',
    "a.js": "b()//a",
    "b.js": "1",
    "i.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>",
    "sw.js": 'self.p=[{url:"/index.html",revision:"MD5"}]',
    "ngsw.json": json.dumps({"hashTable": {"/index.html": "SHA1"}}, indent=1),
}
# Each wrong in the input: told by optimize, and no fault of the output.
WRONG = {
    "wrong.html": f'<!doctype html><script src="/a.js" integrity="{csp("other")}"></script>',
    "refused.html": '<!doctype html><html><head><meta http-equiv="Content-Security-Policy" '
    f"content=\"script-src '{csp('other')}'\"></head><body><script>{INLINE}</script></body></html>",
}


@pytest.fixture
def output(tmp_path: Path) -> Path:
    site = tmp_path / "site"
    site.mkdir()
    home = FILES["index.html"].encode()
    sha1, md5 = (hashlib.new(name, home, usedforsecurity=False).hexdigest() for name in ("sha1", "md5"))
    for path, text in {**FILES, **WRONG}.items():
        (site / path).write_text(text.replace("SHA1", sha1).replace("MD5", md5))
    assert CliRunner().invoke(cli.main, ["optimize", str(site)]).exit_code == 0
    return site


def test_an_output_is_true_and_what_was_wrong_before_is_tolerated(output: Path) -> None:
    assert "digest-unmatched" in (output / "v1z3r-manifest.json").read_text()
    assert (output / "index.html").read_text() != FILES["index.html"]
    assert verify(output) == []


# Each row: a file, what is replaced in it, and the beginning of what is told.
BROKEN = {
    "integrity": ("index.html", 'integrity="sha256-', 'integrity="sha256-AAAA', "integrity 1: a."),
    "inline script": ("index.html", "import(", "await import(", "inline script 1: "),
    "hash table": ("ngsw.json", '"/index.html":"', '"/index.html":"0', "hash 1: /index.html"),
    "revision": ("sw.js", 'revision:"', 'revision:"0', "revision 1: "),
}


@pytest.mark.parametrize(("path", "old", "new", "said"), BROKEN.values(), ids=BROKEN.keys())
def test_digests_are_made_again(path: str, old: str, new: str, said: str, output: Path) -> None:
    text = (output / path).read_text()
    assert old in text
    (output / path).write_text(text.replace(old, new))
    found = [one for one in verify(output) if one.code == "digest-mismatch" and one.path == path]
    assert [one.message.startswith(said) for one in found] == [True]
