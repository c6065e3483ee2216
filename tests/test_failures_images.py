"""What broke for users of tools that work on images, one test a failure, each through the whole program."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import random
import re
from typing import TYPE_CHECKING

import pytest
from outputs import optimizer, page, run, write
from PIL import Image, ImageFilter

if TYPE_CHECKING:
    from pathlib import Path

    from outputs import Optimize, Output


@pytest.fixture
def optimize(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Optimize:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")  # no settings in the working directory
    return optimizer(tmp_path)


def photo(seed: int = 1, size: tuple[int, int] = (160, 120)) -> Image.Image:
    """Something that is as hard to code as a photograph."""
    chance = random.Random(seed)
    noise = Image.frombytes("RGB", (40, 30), chance.randbytes(40 * 30 * 3))
    return noise.resize(size, Image.Resampling.BICUBIC).filter(ImageFilter.GaussianBlur(1))


def coded(image: Image.Image, format: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, format, **options)
    return stream.getvalue()


def shown(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


JPEG = coded(photo(), "JPEG", quality=95)


def variants(out: Output, path: str) -> dict[str, bytes]:
    """The variants of an image, by media type."""
    return {one["content_type"]: out.bytes(one["path"]) for one in out.files[path].get("variants", [])}


def test_a_picture_becomes_smaller_formats_and_stays_what_it_was(optimize: Optimize) -> None:
    out = optimize({"index.html": page('<img src="a.jpg">'), "a.jpg": JPEG})
    made = variants(out, "a.jpg")
    assert made.keys() == {"image/avif", "image/webp"}
    assert len(made["image/avif"]) < len(made["image/webp"]) < len(out.bytes("a.jpg")) <= len(JPEG)
    assert {shown(data).size for data in made.values()} == {(160, 120)}
    assert shown(out.bytes("a.jpg")).tobytes() == shown(JPEG).tobytes()
    for one in out.files["a.jpg"]["variants"]:
        record = out.files[one["path"]]
        assert record["cache_class"] == "immutable"
        assert record["score"] >= 80


def test_what_is_offered_for_the_original_is_offered_for_its_copy(optimize: Optimize) -> None:
    out = optimize(
        {
            "index.html": page('<img src="a.jpg"><script>start()</script>'),
            "a.jpg": JPEG,
            "b.html": page('<input type="image" src="a.jpg">'),
        }
    )
    for path, record in out.files.items():
        if record["kind"] == "image" and record["content_type"] == "image/jpeg":
            assert variants(out, path).keys() == {"image/avif", "image/webp"}, path


def test_client_code_finds_what_the_page_shows(optimize: Optimize) -> None:
    """Hydration restores what a script says: it is the same name in all places, and the old one answers still."""
    old = "assets/a-Bx3f_9-a.jpg"
    out = optimize(
        {
            "index.html": page(f'<div id="root"><img src="/{old}" srcset="/{old} 2x"></div><script type="module" src="/assets/i-Cd4e_8-b.js"></script>'),
            "assets/i-Cd4e_8-b.js": f'import"./x-De5f_7-c.js";const a="/{old}";hydrate(jsx("img",{{src:a,alt:"A"}}),jsx(I,{{src:"/{old}"}}))',
            "assets/x-De5f_7-c.js": "export{}",
            old: JPEG,
        }
    )  # fmt: skip
    [webp] = [path for path, record in out.files.items() if record["content_type"] == "image/webp"]
    [script] = [path for path in out.files if path.startswith("assets/i-")]
    assert out.text("index.html").count(f"/{webp}") == 2
    assert out.text(script).count(f"/{webp}") == 2
    assert old.rpartition("-")[0] not in out.text("index.html").replace(webp, "")
    assert shown(out.bytes(webp)).format == "WEBP"
    assert [record["source"] for path, record in out.files.items() if path.endswith(".jpg")] == [[old]]


def test_an_animation_moves_on(optimize: Optimize) -> None:
    frames = [photo(seed, (60, 40)) for seed in range(4)]
    gif = coded(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=[100, 200, 300, 400], loop=0)
    out = optimize({"index.html": page('<img src="a.gif">'), "a.gif": gif})
    made = variants(out, "a.gif")
    assert made
    for data in (out.bytes("a.gif"), *made.values()):
        image = shown(data)
        assert image.n_frames == 4
        durations = []
        for number in range(4):
            image.seek(number)
            image.load()
            durations.append(image.info["duration"])
        assert durations == [100, 200, 300, 400]


def test_orientation_profile_and_transparency_stay(optimize: Optimize) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90° clockwise when shown
    turned = coded(photo(), "JPEG", quality=95, exif=exif)
    clear = photo(2)
    clear.putalpha(Image.linear_gradient("L").resize(clear.size))
    out = optimize(
        {"index.html": page('<img src="a.jpg"><img src="b.png">'), "a.jpg": turned, "b.png": coded(clear, "PNG")}
    )
    assert shown(out.bytes("a.jpg")).getexif()[0x0112] == 6
    assert {shown(data).size for data in variants(out, "a.jpg").values()} == {(120, 160)}
    for data in variants(out, "b.png").values():
        assert shown(data).convert("RGBA").getchannel("A").getextrema() in [
            (low, high) for low in range(5) for high in range(251, 256)
        ]


def test_nothing_is_larger_than_it_was(optimize: Optimize) -> None:
    tight = coded(photo(3), "WEBP", quality=20, method=6)
    icon = coded(Image.new("P", (4, 4)), "PNG", optimize=True)
    out = optimize({"index.html": page('<img src="a.webp"><img src="b.png">'), "a.webp": tight, "b.png": icon})
    for path, record in out.files.items():
        if record["kind"] == "image":
            source = {"a.webp": tight, "b.png": icon}[record["source"][0]]
            assert record["size"] <= len(source), path


def test_a_texture_keeps_every_pixel(optimize: Optimize) -> None:
    """One use by a script is enough, though a page shows it as well."""
    normal = coded(photo(4), "PNG")
    files = {
        "index.html": page('<img src="/both.png"><script type="module" src="/a.js"></script>'),
        "a.js": 'import"./b.js";load("/map.png");load("/both.png")',
        "b.js": "export{}",
        "map.png": normal,
        "both.png": coded(photo(5), "PNG"),
        "computed.png": coded(photo(6), "PNG"),
    }
    out = optimize(files)
    for path in ("map.png", "both.png", "computed.png"):
        before = shown(files[path]).convert("RGBA").tobytes()
        assert shown(out.bytes(path)).convert("RGBA").tobytes() == before
        made = variants(out, path)
        assert made.keys() <= {"image/webp"}
        for data in made.values():
            assert shown(data).convert("RGBA").tobytes() == before


def test_widths_are_made_where_a_page_says_how_wide_an_image_is(optimize: Optimize, tmp_path: Path) -> None:
    settings = tmp_path / "widths.toml"
    settings.write_text("[images]\nwidths = [80, 100, 107]")
    token = "_astro/b.Bx3f_9-a.jpg"
    markup = f'<img src="/a.jpg" width="80" height="60" alt=""><img src="/{token}" width="100" height="75" alt="">'
    files = {
        "index.html": page(markup),
        "a.jpg": coded(photo(8, (640, 480)), "JPEG"),
        token: coded(photo(9, (640, 480)), "JPEG"),
    }
    out = optimize(files, "--config", settings)
    text = out.text("index.html")
    for width, source in ((80, "a.jpg"), (100, token)):
        scaled = [
            path
            for path in out.files
            if path.endswith((f".{width}w.avif", f".{width}w.webp")) and source in out.files[path]["source"]
        ]
        assert scaled
        for path in scaled:
            assert f"/{path} {width}w" in text
            assert shown(out.bytes(path)).size[0] == width
    assert ".107w." not in text  # 640 × 480 cannot be 107 pixels wide to the pixel
    assert not [path for path in out.files if ".107w." in path]


def test_what_reads_pixels_of_a_page_gets_them_all(optimize: Optimize) -> None:
    """By an element with an id, by a filter, or by a component's property in a script that makes textures."""
    png = [coded(photo(seed), "PNG") for seed in range(10, 14)]
    files = {
        "index.html": page(
            '<img id="map" src="/a.png"><img src="/c.png"><img src="/d.png"><script src="/a.js"></script>'
        ),
        "filter.svg": '<svg xmlns="http://www.w3.org/2000/svg"><filter id="f"><feImage href="/b.png"/></filter></svg>',
        "a.js": 'gl.texImage2D(t,document.getElementById("map"));const m={src:"/c.png"};new TextureLoader().load(m.src)',
        **{f"{name}.png": data for name, data in zip("abcd", png, strict=True)},
    }
    out = optimize(files)
    for name, data in zip("abc", png, strict=False):
        for made in variants(out, f"{name}.png").values():
            assert shown(made).convert("RGBA").tobytes() == shown(data).convert("RGBA").tobytes(), name
    assert "image/avif" in variants(out, "d.png")


def test_a_digest_of_an_image_leaves_it_and_its_variants_alone(optimize: Optimize) -> None:
    png = coded(photo(15), "PNG")
    digest = "sha256-" + base64.b64encode(hashlib.sha256(png).digest()).decode()
    preload = f'<link rel="preload" as="image" href="/b.png" integrity="{digest}">'
    files = {"index.html": page('<img src="/a.png"><img src="/b.png">', preload), "a.png": png, "b.png": png}
    out = optimize({**files, "sums.json": json.dumps({"a.png": digest})})
    for name in ("a.png", "b.png"):
        assert out.bytes(name) == png
        made = {kind: shown(data).format for kind, data in variants(out, name).items()}
        assert made
        assert made.items() <= {"image/avif": "AVIF", "image/webp": "WEBP"}.items()
    assert 'href="/b.png"' in re.sub(r"\.[0-9a-f]{16}\.", ".", out.text("index.html"))


@pytest.mark.parametrize("name", ["v1.2/photo", ".png", "photo"])
def test_an_image_without_a_suffix_gets_no_other_name(optimize: Optimize, name: str) -> None:
    out = optimize({"index.html": page(f'<img src="/{name}">'), name: coded(photo(16), "PNG")})
    assert not [path for path in out.files if path.endswith((".avif", ".webp"))]


def test_a_script_or_a_sheet_that_knows_suffixes_finds_them(optimize: Optimize) -> None:
    old = "assets/a.0f3c91d2.jpg"
    for judge in ('x.src.endsWith(".jpg")', 'q("img[src$=\\".jpg\\"]")', "q(a);f({png:1,jpg:2}[end])"):
        script = f"querySelector(a);{judge}"
        files = {"index.html": page(f'<img src="/{old}"><script src="/a.js"></script>'), "a.js": script, old: JPEG}
        assert ".webp" not in optimize(files).text("index.html"), judge
    files = {
        "index.html": page(f'<img src="/{old}">', '<link rel="stylesheet" href="/a.css"><script src="/a.js"></script>')
    }
    out = optimize({**files, "a.css": 'img[src$=".jpg"]{border:1px solid}', "a.js": "querySelector(a)", old: JPEG})
    assert ".webp" not in out.text("index.html")


def test_what_is_kept_offline_is_what_pages_ask_for(optimize: Optimize) -> None:
    files = {
        "index.html": page("<script>navigator.serviceWorker.register('/sw.js')</script>"),
        "about.html": page('<img src="/a.jpg">', '<link rel="stylesheet" href="/s.css">'),
        "s.css": "p{background:url(/b.jpg)}",
        "sw.js": 'c.addAll(["/about.html","/s.css","/a.jpg"]);precache([{url:"/b.jpg",revision:"0123"}])',
        "a.jpg": JPEG,
        "b.jpg": coded(photo(17), "JPEG", quality=95),
    }
    out = optimize(files)
    assert "<picture" not in out.text("about.html")
    assert all("image-set" not in out.text(path) for path in out.files if path.endswith(".css"))


def test_an_original_stays_for_browsers_that_know_no_other_format(optimize: Optimize) -> None:
    old = "assets/a.0f3c91d2.jpg"
    out = optimize({"index.html": page(f'<img src="/{old}">'), old: JPEG})
    text = out.text("index.html")
    assert "image/avif" in text
    [image] = re.findall(r'<img src="/([^"]*)"', text)
    assert shown(out.bytes(image)).format == "JPEG"


def test_images_that_are_webp_already_and_namesakes_are_verified(optimize: Optimize) -> None:
    webp = [coded(photo(seed), "WEBP", quality=98) for seed in (18, 19)]
    names = ("_next/static/media/hero.0a1b2c3d.webp", "_next/static/media/hero.9f8e7d6c.webp")
    tags = "".join(f'<img src="/{name}">' for name in names)
    out = optimize({"index.html": page(tags), **dict(zip(names, webp, strict=True))})
    assert len([path for path, record in out.files.items() if record["content_type"] == "image/avif"]) == 2


def test_names_that_outsiders_read_keep_their_format(optimize: Optimize) -> None:
    old = "assets/a.0f3c91d2.jpg"
    head = "".join(
        f'<{one} content="/{old}">' if one.startswith("meta") else f'<{one} href="/{old}">'
        for one in (
            'meta itemprop="image"',
            'meta name="thumbnail"',
            'link rel="image_src"',
            'link rel="apple-touch-startup-image"',
        )
    )
    out = optimize({"index.html": page(f'<img src="/{old}"><script>load(a)</script>', head), old: JPEG})
    shown_head = out.text("index.html").partition("</head>")[0]
    assert shown_head.count(".jpg") == 4
    assert ".webp" not in shown_head


def test_svg_gets_no_set_and_keeps_its_symbols(optimize: Optimize) -> None:
    sprite = '<svg xmlns="http://www.w3.org/2000/svg"><symbol id="a-1"><path d="M0 0h9v9"/></symbol></svg>'
    out = optimize({"index.html": page('<img src="s.svg#a-1"><svg><use href="s.svg#a-1"/></svg>'), "s.svg": sprite})
    assert "srcset" not in out.text("index.html")
    assert "<picture" not in out.text("index.html")
    assert 'id="a-1"' in out.text("s.svg")


def test_a_site_below_a_folder(optimize: Optimize) -> None:
    files = {
        "index.html": page('<img src="/sub/i/a.jpg"><script>start()</script>'),
        "d/index.html": page('<img src="../i/a.jpg">'),
        "i/a.jpg": JPEG,
    }
    out = optimize(files, "--base", "/sub/")
    assert variants(out, "i/a.jpg").keys() == {"image/avif", "image/webp"}
    for route in ("/", "/d/"):
        paths = {*out.manifest["routes"][route]["initial"], *out.manifest["routes"][route]["lazy"]}
        assert any(path.startswith("i/a.") for path in paths)


def test_inlined_images_gain_where_nothing_compares_them(optimize: Optimize) -> None:
    """A style sheet's own images and a still page's; where hydration compares the page, its bytes stay."""
    inlined = f"data:image/png;base64,{base64.b64encode(coded(photo(7, (40, 30)), 'PNG')).decode()}"
    still, hydrated = page(f'<img src="{inlined}">'), page(f'<div id="__next"><img src="{inlined}"></div>')
    files = {"still.html": still, "index.html": hydrated, "a.css": f"p{{background:url({inlined})}}"}
    out = optimize(files)
    assert out.text("index.html") == hydrated
    for path in ("still.html", "a.css"):
        assert "data:image/webp;base64," in out.text(path)
        assert len(out.text(path)) < len(files[path]) / 2


def test_no_image_at_all(optimize: Optimize) -> None:
    out = optimize({"index.html": page("nothing to see")})
    assert [path for path, record in out.files.items() if record["kind"] == "image"] == []


@pytest.mark.parametrize(
    "data", [b"\x89PNG\r\n\x1a\n", JPEG[:700], b"GIF89a", b"RIFF\x10\0\0\0WEBPVP8 ", coded(photo(), "PNG")[:500]]
)
def test_a_broken_image_is_named_and_stays(data: bytes, tmp_path: Path) -> None:
    site = write(tmp_path / "site", {"index.html": page('<img src="a.png">'), "a.png": data})
    done = run("optimize", site, "-o", tmp_path / "out", "--json")
    assert done.exit_code == 0
    assert ("image-broken", "a.png") in [(one["code"], one["path"]) for one in json.loads(done.stdout)["diagnostics"]]
    assert (tmp_path / "out" / "a.png").read_bytes() == data


def test_a_photograph_that_a_component_shows_and_outsiders_are_told_of(optimize: Optimize) -> None:
    """next/image shows what its `src` names; whatever host `og:image` names, others get the file under its own name."""
    settings = '{deviceSizes:[640],path:"/_next/image/",loader:"default",unoptimized:!0}'
    component = (
        f"4080:function(e,t,i){{let p={settings},m=(0,s.forwardRef)(e=>(0,n.jsx)('img',{{'data-nimg':'1',src:e.src}}));"
        "(0,u.getImgProps)(e,{defaultLoader:g.default,imgConf:p});i.d(t,{Image:()=>m})}"
    )
    app = "902:function(e,t,n){var s=n(4080);let l=''.concat('','/images/a.jpg');(0,i.jsx)(s.Image,{src:l,width:160})}"
    shared = '<meta property="og:image" content="https://nobody.example/images/a.jpg">'
    chunk = "(self.webpackChunk_N_E=self.webpackChunk_N_E||[]).push([[1],{{{}}}]);"
    out = optimize(
        {
            "index.html": page(f'{shared}<img data-nimg="1" src="/images/a.jpg"><script src="/a.js"></script>'),
            "images/a.jpg": JPEG,
            "a.js": chunk.format(f"{component},{app}"),
        }
    )
    (webp,) = (one["path"] for one in out.files["images/a.jpg"]["variants"] if one["content_type"] == "image/webp")
    scripts = [out.text(path) for path in out.files if path.endswith(".js") and path != "a.js"]
    assert [f"/{webp}" in text and "/images/a.jpg" not in text for text in scripts] == [True]
    assert f'src="/{webp}"' in out.text("index.html")
    assert shared in out.text("index.html")
    assert shown(out.bytes("images/a.jpg")).size == (160, 120)
