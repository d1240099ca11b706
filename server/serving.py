"""The server process: granian runs the application, with the settings handed on by environment.

Beside the workers that answer requests runs the writer (`kg.writing`), which keeps the store open
and commits what they plan. It is started again when it dies.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from threading import Thread

from granian.constants import Interfaces
from granian.server import Server

from kg.errors import SettingError
from kg.settings import Settings

WORKERS = 2
THREADS = 32


def serve(settings: Settings) -> None:
    """Serve until interrupted.

    Parameters:
        settings: of store, texts, host and port; the workers read them from the environment.

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
    os.environ |= settings.as_environment()
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    Thread(target=_keep_writing, args=(settings.store,), daemon=True).start()
    print(f"Whosays is at http://{host}:{settings.port}  (stop with Ctrl-C)", flush=True)
    Server(
        "server.app:create_app",
        factory=True,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.WSGI,
        websockets=False,
        workers=WORKERS,
        blocking_threads=THREADS,
        respawn_failed_workers=True,
        log_enabled=True,
        log_access=False,
    ).serve()


def _keep_writing(store: Path) -> None:
    while True:
        writer = subprocess.Popen([sys.executable, "-m", "kg.writing", str(store)], stdin=subprocess.PIPE)
        writer.wait()  # not `with`, which closes its input first: by that it knows that we are gone
        time.sleep(1)  # it died, or another process has the store open for writing
