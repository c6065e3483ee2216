"""The compress pass: which files get sidecars, which sidecars are kept, and what becomes of the input's own."""

from __future__ import annotations

import gzip
import hashlib
import random
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from v1z3r_build.codecs import brotli_coding
from v1z3r_build.codecs.content_codings import CODINGS
from v1z3r_build.passes import compress as compress_module
from v1z3r_build.passes.compress import compress, encode_file, pays
from v1z3r_build.passes.sidecars import settle
from v1z3r_build.settings import CompressSettings, Settings
from v1z3r_build.site.asset import Asset
from v1z3r_build.site.inventory import Inventory
from v1z3r_build.site.media_types import classify
from v1z3r_build.site.site import Site
from v1z3r_build.workers.pool import Call, Outcome, Pool
from v1z3r_build.workers.progress import SilentProgress

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Mapping

    Make = Callable[[Mapping[str, bytes]], Site]

TEXT = b"".join(b"export const value%d = %d;\n" % (n, n * n) for n in range(100))
OTHER_TEXT = TEXT.replace(b"value", b"other")
NOISE = random.Random(7).randbytes(4000)
BR, GZ = brotli.compress(TEXT), gzip.compress(TEXT, mtime=0)
DEFAULT = Settings()


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool(1) as opened:
        yield opened


class Counting(Pool):
    """A pool that remembers what it was asked to do."""

    def __init__(self) -> None:
        super().__init__(1)
        self.asked: list[Call] = []

    def run(self, calls: Iterable[Call]) -> Generator[Outcome]:
        asked = list(calls)
        self.asked += asked
        return super().run(asked)


@dataclass
class Watched:
    total: int = 0
    done: int = 0

    def start(self, label: str, total: int) -> None:
        assert label == "compress"
        self.total = total

    def advance(self, amount: int) -> None:
        self.done += amount


def built(folder: Path, files: Mapping[str, bytes]) -> Site:
    """A site as it was read from a folder with these files."""
    root, spool = folder / "site", folder / "spool"
    spool.mkdir(parents=True)
    assets = Inventory(root, spool)
    for path, data in sorted(files.items()):
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
        content_type, kind = classify(path, data)
        assets.add(Asset(path, kind, content_type, len(data), place, place, (path,)))
    return Site(root, spool, assets)


@pytest.fixture
def make(tmp_path: Path) -> Make:
    return lambda files: built(tmp_path / "first", files)


def changed(site: Site, path: str, *, new_path: str = "", data: bytes | None = None) -> Site:
    """The site as other passes leave it: a file renamed, rewritten, or both."""
    asset = site.assets[path]
    if data is not None:
        asset = site.rewritten(asset, data)
    others = [one for name, one in site.assets.items() if name != path]
    return site.with_only([*others, replace(asset, path=new_path or path)])


def sidecars(site: Site) -> dict[str, bytes]:
    """All encodings by path; each proved to be what it says it is."""
    found: dict[str, bytes] = {}
    for path, encodings in site.encodings.items():
        assert encodings, path
        for name, encoding in encodings.items():
            data = Path(encoding.location).read_bytes()
            assert encoding.path not in site.assets
            assert encoding.path == path + CODINGS[name].suffix
            assert (encoding.size, encoding.sha256) == (len(data), hashlib.sha256(data).hexdigest())
            assert CODINGS[name].decode(data, site.assets[path].size) == site.assets[path].read()
            found[encoding.path] = data
    return found


def codes(site: Site) -> list[tuple[str, str]]:
    return [(one.code, one.path) for one in site.diagnostics]


def run(site: Site, pool: Pool, settings: Settings = DEFAULT) -> Site:
    return compress(site, settings, pool, SilentProgress())


# Which files.

GAINING = (
    *("a.js", "a.mjs", "a.css", "a.html", "a.json", "a.map", "a.svg", "a.xml", "a.txt", "a.webmanifest", "a.wasm"),
    *("a.ttf", "a.otf", "a.ico", "a.bmp", "a.glsl", "a.gltf", "a.bin", "a.glb", "plain", "a.unheardof"),
)
COMPRESSED = ("a.woff2", "a.woff", "a.png", "a.jpg", "a.webp", "a.avif", "a.gif", "a.mp4", "a.mp3", "a.zip", "a.ogg")


@pytest.mark.parametrize("path", GAINING)
def test_types_that_gain(make: Make, pool: Pool, path: str) -> None:
    assert set(sidecars(run(make({path: TEXT}), pool))) == {f"{path}.br", f"{path}.gz"}


@pytest.mark.parametrize("path", COMPRESSED)
def test_types_that_are_compressed_already_are_not_even_tried(make: Make, path: str) -> None:
    with Counting() as pool:
        assert sidecars(run(make({path: TEXT}), pool)) == {}
    assert pool.asked == []


@pytest.mark.parametrize("path", ["a.br", "a.gz", "a.zst", "a.js.br", "a.txt.gz"])
def test_sidecar_without_neighbour_is_a_file_like_others_and_never_compressed(
    make: Make, pool: Pool, path: str
) -> None:
    site = run(make({path: TEXT, "b.js": TEXT}), pool)
    assert set(site.assets) == {path, "b.js"}
    assert set(sidecars(site)) == {"b.js.br", "b.js.gz"}
    assert codes(site) == []


def test_what_does_not_gain_has_no_sidecar(make: Make, pool: Pool) -> None:
    assert sidecars(run(make({"a.bin": NOISE, "b.js": NOISE, "c.js": b"", "d.js": b"a" * 99}), pool)) == {}


def test_compressed_bytes_under_the_name_of_a_script(make: Make, pool: Pool) -> None:
    assert sidecars(run(make({"a.js": GZ[:-9], "b.js": gzip.compress(NOISE)}), pool)) == {}


def test_bytes_of_unknown_type_that_do_not_gain_cost_a_quick_look_only(monkeypatch: pytest.MonkeyPatch) -> None:
    efforts: list[int] = []

    def encode(data: bytes, quality: int) -> bytes:
        efforts.append(quality)
        return data

    monkeypatch.setattr(brotli_coding, "encode", encode)
    monkeypatch.setitem(CODINGS, "br", CODINGS["br"]._replace(encode=encode))
    assert encode_file(CompressSettings(encodings=("br",)), True, TEXT) == {}
    assert efforts == [1]
    assert encode_file(CompressSettings(encodings=("br",)), False, TEXT) == {}
    assert efforts == [1, 11]


# Which sidecars are kept.


def rules(share: float = 0.05, least: int = 100) -> CompressSettings:
    return CompressSettings(min_ratio=share, min_bytes=least)


@pytest.mark.parametrize(
    ("size", "encoded", "settings", "kept"),
    [
        (1000, 900, rules(), True),
        (1000, 901, rules(), False),  # saves 9.9 % and 99 bytes
        (4000, 3800, rules(), True),
        (4000, 3801, rules(), False),  # saves 199 bytes and less than 5 %
        (100, 0, rules(), True),
        (1000, 1000, rules(0.0, 0), False),  # saves nothing
        (1000, 999, rules(0.0, 0), True),
        (1000, 1100, rules(0.0, 0), False),
    ],
)
def test_thresholds(size: int, encoded: int, settings: CompressSettings, kept: bool) -> None:
    assert pays(size, encoded, settings) is kept


def test_each_coding_is_judged_against_the_file_itself(make: Make, pool: Pool) -> None:
    """gzip pays although brotli has made it superfluous; and where brotli alone reaches the bar, it stands alone."""
    data = TEXT + NOISE
    saved = {name: len(data) - len(CODINGS[name].encode(data, effort)) for name, effort in (("br", 11), ("gzip", 9))}
    assert saved["br"] > saved["gzip"] > 0
    site = make({"a.js": data})
    for least, expected in (
        (saved["gzip"], {"a.js.br", "a.js.gz"}),
        (saved["gzip"] + 1, {"a.js.br"}),
        (saved["br"] + 1, set()),
    ):
        settings = replace(DEFAULT, compress=CompressSettings(min_bytes=least))
        assert set(sidecars(run(site, pool, settings))) == expected


@given(data=st.lists(st.sampled_from([TEXT[:300], NOISE[:150], b"a", b"\0" * 50])).map(b"".join))
def test_every_sidecar_is_true_and_pays(data: bytes) -> None:
    for name, encoded in encode_file(CompressSettings(), False, data).items():
        assert CODINGS[name].decode(encoded, len(data)) == data
        assert len(data) - len(encoded) >= max(100, 0.05 * len(data))


@pytest.mark.parametrize(
    ("encodings", "expected"),
    [(("br",), {"a.js.br"}), (("gzip",), {"a.js.gz"}), (("gzip", "br"), {"a.js.br", "a.js.gz"}), ((), set())],
)
def test_settings_say_which_codings(make: Make, pool: Pool, encodings: tuple[str, ...], expected: set[str]) -> None:
    settings = replace(DEFAULT, compress=CompressSettings(encodings=encodings))
    assert set(sidecars(run(make({"a.js": TEXT}), pool, settings))) == expected


def test_efforts_of_the_settings(make: Make, pool: Pool) -> None:
    settings = replace(DEFAULT, compress=CompressSettings(brotli_quality=1, gzip_level=1))
    found = sidecars(run(make({"a.js": TEXT}), pool, settings))
    assert found == {"a.js.br": CODINGS["br"].encode(TEXT, 1), "a.js.gz": CODINGS["gzip"].encode(TEXT, 1)}


def test_default_efforts_are_the_greatest(make: Make, pool: Pool) -> None:
    found = sidecars(run(make({"a.js": TEXT}), pool))
    assert found["a.js.br"] == brotli.compress(TEXT, quality=11, lgwin=22)
    assert found["a.js.gz"] == CODINGS["gzip"].encode(TEXT, 9)


def test_huge_files_are_compressed_faster_or_not_at_all(
    make: Make, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compress_module, "HUGE", len(TEXT) - 1)
    monkeypatch.setattr(compress_module, "LARGEST", len(TEXT))
    assert encode_file(CompressSettings(), False, TEXT)["br"] == CODINGS["br"].encode(TEXT, 9)
    site = run(make({"fair.js": TEXT[:-1], "huge.js": TEXT, "largest.js": TEXT + b"\n"}), pool)
    assert {path.partition(".")[0] for path in sidecars(site)} == {"fair", "huge"}
    assert codes(site) == [("compressed-faster", "huge.js"), ("not-compressed", "largest.js")]
    assert {one.level for one in site.diagnostics} == {"info"}


def test_equal_bytes_are_compressed_once(make: Make) -> None:
    site = make({"a.js": TEXT, "copy/b.js": TEXT, "same-size.js": TEXT[::-1]})
    alias = replace(site.assets["a.js"], path="a.0123456789abcdef.js", cache_class="immutable")
    with Counting() as pool:
        done = run(site.with_assets([alias]), pool)
    assert len(pool.asked) == 2
    found = sidecars(done)
    assert len(found) == 8
    assert found["a.js.br"] == found["a.0123456789abcdef.js.br"] == found["copy/b.js.br"] != found["same-size.js.br"]


def test_rewritten_bytes_are_compressed_and_not_the_input(make: Make, pool: Pool) -> None:
    site = changed(make({"a.js": TEXT}), "a.js", new_path="b.js", data=OTHER_TEXT)
    assert set(sidecars(run(site, pool))) == {"b.js.br", "b.js.gz"}  # `sidecars` compares with the present bytes


def test_same_bytes_with_any_number_of_workers(make: Make) -> None:
    site = make({f"{n}.js": TEXT * (n % 5 + 1) + b"%d" % n for n in range(30)})
    results = []
    for jobs in (1, 4):
        with Pool(jobs) as pool:
            done = run(site, pool)
            results.append((list(done.encodings), {path: list(of.values()) for path, of in done.encodings.items()}))
    assert results[0] == results[1]
    assert len(results[0][0]) == 30


def test_progress_counts_every_byte_once(make: Make, pool: Pool) -> None:
    watched = Watched()
    compress(make({"a.js": TEXT, "b.js": TEXT, "c.css": OTHER_TEXT, "d.png": NOISE}), DEFAULT, pool, watched)
    assert watched.done == watched.total == len(TEXT) + len(OTHER_TEXT)


def test_file_that_cannot_be_compressed_is_told_and_the_rest_goes_on(make: Make, pool: Pool) -> None:
    site = make({"a.js": TEXT, "b.js": OTHER_TEXT + b" "})
    site.assets["a.js"].location.unlink()
    done = run(site, pool)
    assert set(sidecars(done)) == {"b.js.br", "b.js.gz"}
    assert codes(done) == [("compress-failed", "a.js")]
    assert done.diagnostics[0].level == "warning"
    assert "FileNotFoundError" in done.diagnostics[0].message


# The input's own sidecars.


def test_valid_sidecars_of_the_input_are_replaced(make: Make, pool: Pool) -> None:
    weak = {"a.js": TEXT, "a.js.br": brotli.compress(TEXT, quality=1), "a.js.gz": gzip.compress(TEXT, 1)}
    site = run(make(weak), pool)
    assert set(site.assets) == {"a.js"}
    assert sidecars(site) == {"a.js.br": CODINGS["br"].encode(TEXT, 11), "a.js.gz": CODINGS["gzip"].encode(TEXT, 9)}
    assert codes(site) == []


def test_smaller_sidecar_of_the_input_is_kept(make: Make, pool: Pool) -> None:
    settings = replace(DEFAULT, compress=CompressSettings(gzip_level=1))
    site = run(make({"a.js": TEXT, "a.js.gz": GZ}), pool, settings)
    assert sidecars(site)["a.js.gz"] == GZ


def test_valid_sidecar_that_does_not_pay_goes(make: Make, pool: Pool) -> None:
    data = b"let a = 1;"
    site = run(make({"a.js": data, "a.js.br": brotli.compress(data)}), pool)
    assert set(site.assets) == {"a.js"}
    assert site.encodings == {}


@pytest.mark.parametrize("data", [brotli.compress(OTHER_TEXT), BR[:-1], BR + b"x", b"", b"no brotli", GZ])
def test_stale_sidecar_stays_and_is_reported(make: Make, pool: Pool, data: bytes) -> None:
    site = run(make({"a.js": TEXT, "a.js.br": data}), pool)
    assert site.assets["a.js.br"].read() == data
    assert set(sidecars(site)) == {"a.js.gz"}  # its name is taken, so there is no other of that coding
    assert codes(site) == [("stale-sidecar", "a.js.br")]
    assert site.diagnostics[0].level == "warning"


def test_bomb_as_sidecar_is_stale(make: Make, pool: Pool) -> None:
    site = run(make({"a.js": TEXT, "a.js.br": brotli.compress(bytes(100 << 20), quality=1)}), pool)
    assert codes(site) == [("stale-sidecar", "a.js.br")]


def test_sidecar_is_compared_with_the_input_and_not_with_what_passes_made_of_it(make: Make, pool: Pool) -> None:
    site = changed(make({"a.js": TEXT, "a.js.br": BR, "a.js.gz": GZ}), "a.js", data=OTHER_TEXT)
    done = run(site, pool)
    assert set(done.assets) == {"a.js"}
    assert set(sidecars(done)) == {"a.js.br", "a.js.gz"}  # new ones: `sidecars` decodes them to the present bytes
    assert codes(done) == []


def test_sidecar_that_fits_only_the_new_bytes_is_stale(make: Make, pool: Pool) -> None:
    site = changed(make({"a.js": OTHER_TEXT, "a.js.br": BR}), "a.js", data=TEXT)
    assert codes(run(site, pool)) == [("stale-sidecar", "a.js.br")]


@pytest.mark.parametrize("moved", [False, True])
def test_sidecar_goes_with_its_renamed_file(make: Make, pool: Pool, moved: bool) -> None:
    """Whether linking has renamed it along, since it bears the same token, or not."""
    site = changed(make({"a.1111.js": TEXT, "a.1111.js.br": BR}), "a.1111.js", new_path="a.2222.js")
    if moved:
        site = changed(site, "a.1111.js.br", new_path="a.2222.js.br")
    done = run(site, pool)
    assert set(done.assets) == {"a.2222.js"}
    assert set(sidecars(done)) == {"a.2222.js.br", "a.2222.js.gz"}


def test_sidecar_with_references_of_its_own_is_a_file_like_others(make: Make, pool: Pool) -> None:
    """Linking made a hashed copy of it: something asks for these bytes under their own name."""
    site = make({"a.json": TEXT, "a.json.gz": GZ})
    copy = replace(site.assets["a.json.gz"], path="a.json.0123456789abcdef.gz")
    done = run(site.with_assets([copy]), pool)
    assert set(done.assets) == {"a.json", "a.json.gz", copy.path}
    assert set(sidecars(done)) == {"a.json.br"}


def test_sidecar_of_a_sidecar(make: Make, pool: Pool) -> None:
    done = run(make({"a.js": TEXT, "a.js.gz": GZ, "a.js.gz.br": brotli.compress(GZ)}), pool)
    assert set(done.assets) == {"a.js"}
    assert set(sidecars(done)) == {"a.js.br", "a.js.gz"}


def test_settled_without_compression(make: Make, pool: Pool) -> None:
    """`--skip compress`: what still is true is kept as an encoding, what is not any more goes."""
    site = make({"a.js": TEXT, "a.js.br": BR, "b.js": TEXT, "b.js.gz": GZ, "c.js": TEXT, "c.js.br": b"?"})
    done = settle(changed(site, "b.js", data=OTHER_TEXT), pool)
    assert set(done.assets) == {"a.js", "b.js", "c.js", "c.js.br"}
    assert sidecars(done) == {"a.js.br": BR}
    assert codes(done) == [("stale-sidecar", "c.js.br")]


def test_settling_twice_changes_nothing(make: Make, pool: Pool) -> None:
    done = settle(make({"a.js": TEXT, "a.js.br": BR}), pool)
    assert sidecars(settle(done, pool)) == {"a.js.br": BR}


def test_compressing_the_output_again_changes_nothing(make: Make, pool: Pool, tmp_path: Path) -> None:
    first = run(make({"a.js": TEXT, "b.css": OTHER_TEXT}), pool)
    files = {path: asset.read() for path, asset in first.assets.items()} | sidecars(first)
    again = run(built(tmp_path / "again", files), pool)
    assert {path: asset.read() for path, asset in again.assets.items()} | sidecars(again) == files
