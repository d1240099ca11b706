"""Calling the command line in this process, exit code and all, which spares reading the shapes anew each time.

Also: a copy of a store to try commands on, which may be taken while a server has the store open.
"""

from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from click.testing import CliRunner

from kg.backup import backup, restore
from kg.store import StoreFolder
from server.command import main


@dataclass(frozen=True)
class Done:
    """What a command printed."""

    stdout: str
    stderr: str


def call(*arguments: object, status: int = 0, stdin: str | bytes = "") -> Done:
    """Run `whosays` with these arguments; fail where the exit code is not the one expected."""
    code, given = 0, ["whosays", *map(str, arguments)]
    with CliRunner().isolation(stdin, env={"NO_COLOR": "1"}) as (out, err, _), patch("sys.argv", given):
        try:
            main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0
    done = Done(out.getvalue().decode(), err.getvalue().decode())
    assert code == status, f"exit code {code}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr
    return done


def copy_store(store: Path, target: Path) -> Path:
    """Make a store that holds what another does."""
    saved = target.with_suffix(".tar")
    backup(StoreFolder(store), saved)
    restore(saved, StoreFolder(target))
    saved.unlink()
    return target
