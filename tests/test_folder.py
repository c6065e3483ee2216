"""Reading a site from a folder."""

from __future__ import annotations

import os
import socket
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from v1z3r_build.diagnostics import InputError, SystemFailureError
from v1z3r_build.site import folder, media_types

if TYPE_CHECKING:
    from v1z3r_build.site.site import Site

PAGE = b"<!doctype html><meta charset=utf-8><p>hello"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make(tmp_path / "out", {"index.html": PAGE})


def make(root: Path, files: dict[str, bytes]) -> Path:
    for path, data in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)
    return root


def read(root: Path) -> Site:
    return folder.read(root, root.parent / "spool")


def told(site: Site) -> list[tuple[str, str, str]]:
    return [(one.path, one.level, one.code) for one in site.diagnostics]


def test_every_file_is_there_in_sorted_order_with_what_it_is(root: Path) -> None:
    make(root, {"js/b.js": b"b", "js/a.js": b"aa", ".well-known/x": b"x", "Z.png": b"\x89PNG\r\n\x1a\n", ".env": b""})
    site = read(root)
    assert [(one.path, one.kind, one.size) for one in site.assets.values()] == [
        (".env", "text", 0),
        (".well-known/x", "text", 1),
        ("Z.png", "image", 8),
        ("index.html", "html", len(PAGE)),
        ("js/a.js", "script", 2),
        ("js/b.js", "script", 1),
    ]
    assert list(site.assets) == sorted(site.assets)
    asset = site.assets["js/a.js"]
    assert (asset.read(), asset.original, asset.sources) == (b"aa", asset.location, ("js/a.js",))
    assert site.diagnostics == ()


def test_reading_opens_no_spool_and_changes_nothing(root: Path) -> None:
    before = sorted(root.parent.rglob("*"))
    read(root)
    assert sorted(root.parent.rglob("*")) == before


def test_empty_folders_are_kept_in_mind(root: Path) -> None:
    (root / "a/b").mkdir(parents=True)
    (root / "c").mkdir()
    assert read(root).empty_folders == ("a/b", "c")


def test_a_link_to_the_site_is_the_site(root: Path) -> None:
    (root.parent / "link").symlink_to("out")
    assert read(root.parent / "link").assets == read(root).assets


# What is no site


@pytest.mark.parametrize(
    ("files", "message", "hint"),
    [
        ({}, "is empty", "build"),
        ({"a.txt": b"x"}, "no HTML page", "index.html"),
        ({"index.html": b"\x89PNG\r\n\x1a\n"}, "no HTML page", "index.html"),
        ({"index.html": PAGE, "package.json": b"{}", "src/main.js": b""}, "source folder", "out"),
        ({"index.html": PAGE, "package.json": b"{}", "vite.config.ts": b"", "dist/index.html": PAGE}, "source", "dist"),
        ({"package.json": b"{}", "node_modules/x/index.html": PAGE}, "source folder", "out"),
        ({"BUILD_ID": b"x", "build-manifest.json": b"{}", "server/pages/index.html": PAGE}, "Next.js", "export"),
    ],
)
def test_what_is_no_site_is_told_with_a_hint(tmp_path: Path, files: dict[str, bytes], message: str, hint: str) -> None:
    (tmp_path / "out").mkdir()
    with pytest.raises(InputError, match=message) as caught:
        read(make(tmp_path / "out", files))
    assert hint in caught.value.hint


def test_a_file_and_a_missing_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(PAGE)
    for path, message in (("file", "is not a folder"), ("missing", "does not exist")):
        with pytest.raises(InputError, match=message):
            read(tmp_path / path)


@pytest.mark.parametrize("name", ["index.htm", "about", "page.xhtml"])
def test_a_page_by_another_name_makes_a_site(tmp_path: Path, name: str) -> None:
    assert list(read(make(tmp_path / "out", {name: PAGE})).assets) == [name]


def test_a_package_json_alone_does_not_make_it_a_source_folder(root: Path) -> None:
    make(root, {"package.json": b"{}"})
    assert len(read(root).assets) == 2


# Links and other things that are no files


def test_links_inside_the_site_are_followed_as_a_host_does(root: Path) -> None:
    make(root, {"v2/app.js": b"app"})
    (root / "latest").symlink_to("v2")
    (root / "copy.html").symlink_to("index.html")
    (root / "absolute.js").symlink_to(root / "v2/app.js")
    assets = read(root).assets
    assert list(assets) == ["absolute.js", "copy.html", "index.html", "latest/app.js", "v2/app.js"]
    assert assets["latest/app.js"].read() == b"app"
    assert assets["copy.html"].size == len(PAGE)
    assert not assets["copy.html"].location.is_symlink()


@pytest.mark.parametrize(
    ("link", "target", "message"),
    [
        ("a", "../secret", "out of the site"),
        ("a", "/etc/hostname", "out of the site"),
        ("a", "..", "out of the site"),
        ("a/b", "../../out2", "out of the site"),
        ("a", "missing", "nowhere"),
        ("a", "a", "nowhere"),
        ("a", ".", "in a circle"),
        ("a/b/c", "..", "in a circle"),
        ("a/b", "../a", "in a circle"),
    ],
)
def test_links_that_lead_elsewhere_are_refused(root: Path, link: str, target: str, message: str) -> None:
    (root.parent / "secret").write_text("secret")
    make(root.parent / "out2", {"x": b"x"})  # its name begins as the site's does
    if target == "/etc/hostname" and not Path(target).exists():
        pytest.skip("no such file here")
    (root / link).parent.mkdir(parents=True, exist_ok=True)
    (root / link).symlink_to(target)
    with pytest.raises(InputError, match=message) as caught:
        read(root)
    assert f"  {link}: a link" in caught.value.message


def test_a_link_through_a_link_that_leads_out_is_refused(root: Path) -> None:
    (root.parent / "secret").write_text("secret")
    (root.parent / "hop").symlink_to("secret")
    (root / "a").symlink_to("../hop")
    with pytest.raises(InputError, match="out of the site"):
        read(root)


def test_two_folders_that_link_to_each_other_end(root: Path) -> None:
    make(root, {"a/x": b"x", "b/y": b"y"})
    (root / "a/b").symlink_to("../b")
    (root / "b/a").symlink_to("../a")
    with pytest.raises(InputError, match="in a circle"):
        read(root)


def test_links_that_multiply_without_end_are_refused(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "_MAX_LINKED", 500)
    make(root, {"20/x": b"x"})
    for level in range(20):
        (root / str(level)).mkdir()
        for name in "ab":
            (root / str(level) / name).symlink_to(f"../{level + 1}")
    with pytest.raises(InputError, match="more than 500"):
        read(root)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no pipes in folders")
def test_special_files_are_never_opened(root: Path) -> None:
    os.mkfifo(root / "pipe")
    (root / "link").symlink_to("pipe")
    with pytest.raises(InputError) as caught:
        read(root)
    assert "  link: a special file" in caught.value.message
    assert "  pipe: a special file" in caught.value.message


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="the system has no sockets in folders")
def test_a_socket_is_refused() -> None:
    with tempfile.TemporaryDirectory() as name, socket.socket(socket.AF_UNIX) as listener:
        make(Path(name), {"index.html": PAGE})
        listener.bind(f"{name}/s")  # a short path: the name of a socket takes about 100 bytes
        with pytest.raises(InputError, match="s: a special file"):
            folder.read(Path(name), Path(name))


# What cannot be read


def test_all_that_cannot_be_read_is_named(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(root, {f"secret/{number:02}.js": b"x" for number in range(30)})
    opened = open

    def refuse(place: str, *arguments: object, **options: object) -> object:
        if Path(place).parent.name == "secret":
            raise PermissionError(13, "Permission denied", place)
        return opened(place, *arguments, **options)  # type: ignore[call-overload]

    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(SystemFailureError) as caught:
        read(root)
    assert "secret/00.js: Permission denied" in caught.value.message
    assert "and 10 more" in caught.value.message


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="permissions work otherwise here")
def test_a_file_and_a_folder_without_permission() -> None:
    """In a forked child, which as root gives up its rights first."""
    root = make(Path(tempfile.mkdtemp()), {"index.html": PAGE, "x.js": b"x", "closed/y.js": b"y"})
    root.chmod(0o755)
    (root / "x.js").chmod(0)
    (root / "closed").chmod(0)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            if os.geteuid() == 0:
                os.setuid(65534)
            try:
                folder.read(root, root)
            except SystemFailureError as failure:
                lines = failure.message.splitlines()[1:]
                code = 0 if lines == ["  closed: Permission denied", "  x.js: Permission denied"] else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    (root / "closed").chmod(0o755)


# Diagnostics


@pytest.mark.parametrize(
    ("path", "data", "expected"),
    [
        ("a.jpg", b"\x89PNG\r\n\x1a\n", "info"),
        ("a.js", PAGE, "warning"),
        ("a.js", b"\x1f\x8b\x08\0\xff", "warning"),
    ],
)
def test_contents_that_differ_from_the_name_are_told_once(root: Path, path: str, data: bytes, expected: str) -> None:
    make(root, {path: data})
    assert told(read(root)) == [(path, expected, "contents-differ")]


@pytest.mark.parametrize(
    ("path", "data", "level", "place"),
    [
        ("a.js", b"1\n2\n'\xc3\xa9\xff'", "warning", (3, 3)),
        ("a.js", b"\xff", "warning", (1, 1)),
        ("a.js", b"x\xc3", "warning", (1, 2)),
        ("a.txt", b"caf\xe9", "info", (1, 4)),
        ("a.html", b"<meta charset=utf-8>\n\xff", "warning", (2, 1)),
        (
            "far.js",
            b"x" * media_types.HEAD_SIZE + b"\n'" + b"\xc3\xa9" * (1 << 20) + b"\xff",
            "warning",
            (2, 2 + (1 << 20)),
        ),
    ],
)
def test_bytes_that_are_no_text_are_told_with_their_place(
    root: Path, path: str, data: bytes, level: str, place: tuple[int, int]
) -> None:
    make(root, {path: data})
    site = read(root)
    assert told(site) == [(path, level, "charset-unknown")]
    assert (site.diagnostics[0].line, site.diagnostics[0].column) == place
    assert ("charset" in site.assets[path].content_type) == (path == "a.html")


def test_a_page_in_its_own_charset_is_nothing_to_tell(root: Path) -> None:
    site = read(make(root, {"a.html": b"<meta charset=latin1>caf\xe9", "b.css": b'@charset "latin1";\xe9'}))
    assert site.diagnostics == ()
    assert site.assets["a.html"].content_type == "text/html; charset=windows-1252"


def test_a_character_over_the_edge_of_the_head_is_whole(root: Path) -> None:
    data = b"x" * (media_types.HEAD_SIZE - 1) + "é".encode()
    site = read(make(root, {"a.js": data}))
    assert site.assets["a.js"].content_type == "text/javascript; charset=utf-8"
    assert site.diagnostics == ()


@pytest.mark.skipif(sys.platform != "linux", reason="the file system takes only Unicode, or tells no case apart")
def test_names_that_some_systems_cannot_hold(root: Path) -> None:
    make(root, {"Logo.png": b"", "logo.png": b"", "caf\u00e9": b"", "cafe\u0301": b""})
    (root / os.fsdecode(b"caf\xe9.txt")).write_bytes(b"x")
    site = read(root)
    assert told(site) == [
        ("caf\u00e9", "warning", "name-collision"),
        ("caf\udce9.txt", "warning", "name-not-unicode"),
        ("logo.png", "warning", "name-collision"),
    ]
    assert site.assets["caf\udce9.txt"].read() == b"x"


# Size


def test_a_big_file_is_not_held(root: Path) -> None:
    with (root / "big.bin").open("wb") as file:
        file.truncate(1 << 36)
    assert read(root).assets["big.bin"].size == 1 << 36


def test_twenty_thousand_files(tmp_path: Path) -> None:
    root = tmp_path / "out"
    for number in range(200):
        (root / f"{number:03}").mkdir(parents=True)
        for other in range(100):
            (root / f"{number:03}/{other:03}.html").write_bytes(PAGE)
    assets = read(root).assets
    assert len(assets) == 20_000
    assert list(assets) == sorted(assets)
