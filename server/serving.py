"""The server process: granian runs the application, with the settings handed on by environment.

Beside the workers that answer requests runs the writer (`kg.writing`), which keeps the store open
and commits what they plan. It is started again when it dies.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Lock, Thread

from granian.constants import HTTPModes, Interfaces, Loops
from granian.log import LogLevels
from granian.server import Server

from kg.errors import SettingError, WhosaysError
from kg.plain_store import PlainFolder
from kg.settings import Settings
from server.access_log import check_target
from server.metrics import prepare

KILL_AFTER = 3
"""Seconds that a front has to end before it is killed."""

_starting = Lock()
"""Held while the writer is started: a front that is forked just then would keep the pipe open by which it tells whether
it started, and we would wait for that word for ever."""


def serve(settings: Settings, load_again: Callable[[], Settings]) -> None:
    """Serve until interrupted.

    SIGHUP reads the settings anew and puts a new front beside the old one, which ends its answers first; the address
    stays what it was.

    Parameters:
        settings: what is served where; the front reads them from the environment.
        load_again: reads the settings anew.

    Raises:
        SettingError: the address or port cannot be listened on.
    """
    with socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise SettingError(
                f"cannot listen on {settings.host} port {settings.port}: {error.strerror}",
                mend="choose another --port or --host",
            ) from error
    check_target(settings.access_log)
    os.environ |= settings.as_environment()
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    if settings.plain:
        _prepare_plain(settings)
    else:
        keep_writing(settings.store)
    counts = prepare()
    print(f"Whosays is at http://{host}:{settings.port}  (stop with Ctrl-C)", flush=True)
    try:
        while not _serve_once(settings, load_again):
            print("the server has stopped by itself and is started again", file=sys.stderr, flush=True)
            time.sleep(1)
    finally:
        shutil.rmtree(counts, ignore_errors=True)


def _serve_once(settings: Settings, load_again: Callable[[], Settings]) -> bool:
    """Run the production server; tell whether it was told to stop."""
    server = Server(
        "server.front.making:create_front",
        factory=True,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        loop=Loops.uvloop,
        websockets=False,
        workers=1,
        respawn_failed_workers=True,
        workers_kill_timeout=KILL_AFTER,
        log_level=LogLevels.warning,
        log_access=False,
    )

    def reload() -> None:
        try:
            os.environ.update(replace(load_again(), host=settings.host, port=settings.port).as_environment())
        except WhosaysError as error:
            print(f"the settings stay as they were: {error}", file=sys.stderr, flush=True)

    server.on_reload(reload)
    with contextlib.suppress(SystemExit):
        server.serve()
    return bool(server.interrupt_signal)


def _prepare_plain(settings: Settings) -> None:
    folder = PlainFolder(settings.store)
    if not settings.writable:
        folder.publish()
    elif folder.current_name() is None:
        folder.publish(create=True)


def keep_writing(store: Path) -> None:
    """Start the writer, and again whenever it ends; return at once.

    Parameters:
        store: folder that it writes to.
    """
    os.register_at_fork(before=_starting.acquire, after_in_parent=_starting.release, after_in_child=_starting.release)
    Thread(target=_keep_writing, args=(store,), daemon=True).start()


def _keep_writing(store: Path) -> None:
    while True:
        with _starting:
            writer = subprocess.Popen([sys.executable, "-m", "kg.writing", str(store)], stdin=subprocess.PIPE)
        writer.wait()  # not `with`, which closes its input first: by that it knows that we are gone
        time.sleep(1)  # it died, or another process has the store open for writing
