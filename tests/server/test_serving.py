"""The server process: what it starts beside what answers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.conftest import REPOSITORY

FORKED_MEANWHILE = r"""
import os, signal, subprocess, sys, time
from pathlib import Path
from server.serving import keep_writing

def slowly(*given):
    time.sleep(0.5)
    return start(*given)

start, subprocess._fork_exec = subprocess._fork_exec, slowly

def writer(besides=0):
    until = time.monotonic() + 30
    while time.monotonic() < until:
        for task in Path("/proc/self/task").iterdir():
            for child in map(int, (task / "children").read_text().split()):
                command = Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
                if child != besides and b"kg.writing" in command:
                    return child
        time.sleep(0.05)
    sys.exit("there is no writer")

keep_writing(Path(sys.argv[1]))
time.sleep(0.2)  # it is being started
front = os.fork()
if not front:
    time.sleep(600)
try:
    first = writer()
    os.kill(first, signal.SIGKILL)
    assert writer(first) != first
finally:
    os.kill(front, signal.SIGKILL)
"""


def test_a_front_forked_while_the_writer_is_started_does_not_keep_it_from_being_started_again(tmp_path: Path) -> None:
    """The front had inherited the pipe by which the writer's start is told, so that who started it waited for ever."""
    done = subprocess.run(
        [sys.executable, "-c", FORKED_MEANWHILE, str(tmp_path)],
        cwd=REPOSITORY, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
