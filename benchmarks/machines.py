"""A Dask scheduler and workers on this machine, for the time of a benchmark."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def machines(workers: int) -> Iterator[str]:
    """The address of a scheduler with so many workers of one thread each."""
    from distributed import Client

    started: list[subprocess.Popen[bytes]] = []
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "log").open("wb") as log:
        file = Path(folder) / "scheduler.json"

        def start(program: str, *options: str) -> None:
            command = [sys.executable, "-m", f"distributed.cli.{program}", "--scheduler-file", str(file), *options]
            started.append(subprocess.Popen(command, stdout=log, stderr=log, cwd=folder))

        try:
            start("dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--no-show")
            while not file.exists() or not file.read_text().endswith("}"):
                time.sleep(0.05)
            address: str = json.loads(file.read_text())["address"]
            for _ in range(workers):
                start("dask_worker", "--nthreads", "1", "--no-dashboard", "--host", "127.0.0.1")
            with Client(address, set_as_default=False) as client:
                client.wait_for_workers(workers, timeout=60)
            yield address
        finally:
            for process in reversed(started):
                process.terminate()
            for process in started:
                process.wait()
