"""`make bench`: that it measures, not what."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import generated_site
import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


def test_a_generated_site_has_so_many_files_and_is_the_same_each_time(tmp_path: Path) -> None:
    for name in ("one", "two"):
        generated_site.generate(tmp_path / name, 137)
    one, two = (
        {
            path.relative_to(tmp_path / name): path.read_bytes()
            for path in (tmp_path / name).rglob("*")
            if path.is_file()
        }
        for name in ("one", "two")
    )
    assert len(one) == 137
    assert one == two
    assert len(set(one.values())) == 137


@pytest.mark.skipif(sys.platform == "win32", reason="memory is read from /proc")
def test_the_smallest_size_prints_seven_figures() -> None:
    pytest.importorskip("distributed")
    done = subprocess.run(
        [sys.executable, BENCHMARKS / "ratios.py", "--smallest"],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    rows = [line.strip("| ").split(" | ") for line in done.stdout.splitlines() if re.match(r"\| \d", line)]
    assert [row[0] for row in rows] == list("1234567")
    for number, _, figure, *_ in rows:
        # The peers come from npm, which a machine need not have.
        assert re.search(r"\d\.\d\d", figure) or (number in "45" and "--install-peers" in figure)
