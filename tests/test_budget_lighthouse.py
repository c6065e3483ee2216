"""Lighthouse's budget.json: its own documentation's examples, its rules for paths, and what cannot be measured."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from budgets import manifest

from v1z3r_build.budget import sources
from v1z3r_build.budget.comparison import Comparison
from v1z3r_build.diagnostics import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from v1z3r_build.budget.outcome import Outcome
    from v1z3r_build.manifest import Manifest

# Of https://github.com/GoogleChrome/budget.json, without the comma that JSON does not take.
DOCUMENTED = """[
   {
      "path":"/*",
      "resourceSizes":[
         {
            "resourceType":"total",
            "budget":300
         },
         {
            "resourceType":"script",
            "budget":150
         }
      ],
      "resourceCounts":[
         {
            "resourceType":"third-party",
            "budget":10
         }
      ]
   },
   {
      "path":"/blog",
      "resourceSizes":[
         {
            "resourceType":"total",
            "budget":200
         }
      ]
   }
]"""


def check(folder: Path, budgets: object, made: Manifest | None = None) -> Outcome:
    source = folder / "budget.json"
    source.write_text(budgets if isinstance(budgets, str) else json.dumps(budgets, indent=1), encoding="utf-8")
    return sources.read(source).check(Comparison(made or manifest()))


def limited(path: str | None, *sizes: tuple[str, float], counts: tuple[tuple[str, float], ...] = ()) -> dict[str, Any]:
    def listed(limits: tuple[tuple[str, float], ...]) -> list[dict[str, Any]]:
        return [{"resourceType": kind, "budget": budget} for kind, budget in limits]

    return ({} if path is None else {"path": path}) | {"resourceSizes": listed(sizes), "resourceCounts": listed(counts)}


def test_the_documented_example_works(tmp_path: Path) -> None:
    outcome = check(tmp_path, DOCUMENTED)
    assert {(one.subject, one.name, one.limit) for one in outcome.findings} == {
        *(
            (route, name, size * 1024)
            for route in ("/", "/app/")
            for name, size in (("initial total", 300), ("initial script", 150))
        ),
        # The last that is for a page holds, as a whole.
        *((route, "initial total", 200 * 1024) for route in ("/blog/one/", "/blog/[two]/")),
    }
    assert outcome.over == ()
    assert outcome.notes == (
        "[0].resourceCounts[0] (third-party, line 15) is not checked: what other hosts send is not among the files of the site",
    )
    assert {one.line for one in outcome.findings} == {5, 9, 24}


@pytest.mark.parametrize(
    ("kind", "size", "count"),
    [
        ("document", 400, 1),
        ("script", 22_000, 2),
        ("stylesheet", 200, 1),
        ("image", 0, 0),
        ("font", 0, 0),
        ("media", 0, 0),
        ("other", 1_000, 1),
        ("total", 23_600, 5),
    ],
)
def test_the_types_of_resources(tmp_path: Path, kind: str, size: int, count: int) -> None:
    made = manifest()
    app = made.routes["/app/"]
    made = replace(made, routes={"/app/": app._replace(initial=(*app.initial, "scene.wasm"))})
    found = check(tmp_path, [limited(None, (kind, 0.5), counts=((kind, 4),))], made).findings
    assert {(one.unit, one.value, one.limit) for one in found} == {("br", size, 512), ("requests", count, 4)}


@pytest.mark.parametrize(
    ("path", "routes"),
    [
        (None, ["/", "/app/", "/blog/[two]/", "/blog/one/"]),
        ("/", ["/", "/app/", "/blog/[two]/", "/blog/one/"]),
        ("/*", ["/", "/app/", "/blog/[two]/", "/blog/one/"]),
        ("/$", ["/"]),
        ("/blog", ["/blog/[two]/", "/blog/one/"]),
        ("/b*/$", ["/blog/[two]/", "/blog/one/"]),
        ("/*/one", ["/blog/one/"]),
        ("/*o*e", ["/blog/one/"]),
        ("/blog/one/$", ["/blog/one/"]),
        ("/blog/%5Btwo%5D/", ["/blog/[two]/"]),
        ("/blog/[two]/", ["/blog/[two]/"]),
    ],
)
def test_paths_are_those_of_robots_txt(tmp_path: Path, path: str | None, routes: list[str]) -> None:
    found = check(tmp_path, [limited(path, ("total", 1))]).findings
    assert sorted(one.subject for one in found) == routes


def test_paths_are_those_of_the_address_bar(tmp_path: Path) -> None:
    below = replace(manifest(), base="/sub/")
    assert [one.subject for one in check(tmp_path, [limited("/sub/app", ("total", 1))], below).findings] == ["/app/"]
    with pytest.raises(InputError, match="is for no route"):
        check(tmp_path, [limited("/app", ("total", 1))], below)


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    assert check(tmp_path, "\ufeff" + DOCUMENTED).findings


@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        ('[\n{"path": }]', ":2:10: this is no JSON", ""),
        ("{}", "a budget.json must be a list; found a table", ""),
        ("[3]", "[0] must be an object; found 3", ""),
        ('[\n{"pth": "/"}]', ":2: [0].pth is no known member", "Did you mean path?"),
        ('[{"path": 3}]', ":1: [0].path must be a path", ""),
        ('[{"path": "blog"}]', 'found "blog"', ""),
        ('[{"path": "/a$b"}]', 'found "/a$b"', ""),
        ('[{"path": "/",\n"timings": [{"metric": "interactive", "budget": 3000}]}]', ":2: [0].timings cannot be checked", "leave `timings` to Lighthouse"),
        ('[{"resourceSizes": 3}]', "[0].resourceSizes must be a list", ""),
        ('[{"resourceSizes": [\n{"resourceType": "scripts", "budget": 1}]}]', ":2: [0].resourceSizes[0].resourceType must be one of document, script", "Did you mean script?"),
        ('[{"resourceSizes": [{"budget": 1}]}]', "found null", ""),
        ('[{"resourceSizes": [{"resourceType": "script"}]}]', "must be a number of KiB, 0 or more; found null", ""),
        ('[{"resourceCounts": [{"resourceType": "script", "budget": "9"}]}]', 'must be a number of requests, 0 or more; found "9"', ""),
        ('[{"resourceSizes": [{"resourceType": "script", "budget": -1}]}]', "found -1", ""),
        ('[{"resourceSizes": [{"resourceType": "script", "budget": NaN}]}]', "found NaN", ""),
        ('[{"resourceSizes": [{"resourceType": "script", "budget": 1, "unit": "kB"}]}]', "[0].resourceSizes[0].unit is no known member", ""),
        ('[{"resourceSizes": [{"resourceType": "script", "budget": 1},\n{"resourceType": "script", "budget": 2}]}]', ":2: [0].resourceSizes[1] is the second limit for script", ""),
        ('[{"options": {"hosts": []}}]', "[0].options.hosts is no known member", "firstPartyHostnames"),
        ('[{"path": "/"}]', "holds no limit that can be checked", ""),
        ("[]", "holds no limit that can be checked", ""),
        ('[{"resourceCounts": [{"resourceType": "third-party", "budget": 1}]}]', "holds no limit that can be checked", "what other hosts send"),
        ('[{"resourceSizes": [{"resourceType": "total", "budget": 1}],\n"path": "/blgo"}]', ':2: [0].path "/blgo" is for no route of the site', "Did you mean /blog/one/?"),
        ("[" * 100_000, "cannot be read", ""),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, text: str, said: str, hint: str) -> None:
    with pytest.raises(InputError) as refusal:
        check(tmp_path, text)
    assert refusal.value.message.startswith(str(tmp_path / "budget.json"))
    assert said in refusal.value.message
    assert hint in refusal.value.hint


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "budget.json").write_bytes(b'["\xff"]')
    with pytest.raises(InputError, match="not UTF-8 at byte 2"):
        sources.read(tmp_path / "budget.json")
