"""The server process: granian runs the application, with the settings handed on by environment."""

from __future__ import annotations

import os

from granian.constants import Interfaces
from granian.server import Server

from kg.settings import Settings

WORKERS = 2
THREADS = 4


def serve(settings: Settings) -> None:
    """Serve until interrupted.

    Parameters:
        settings: of store, texts, host and port; the workers read them from the environment.
    """
    for name in ("store", "records", "texts", "quotes", "host", "port"):
        os.environ[f"WHOSAYS_{name.upper()}"] = str(getattr(settings, name))
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    print(f"Whosays is at http://{host}:{settings.port}  (stop with Ctrl-C)", flush=True)
    Server(
        "server.app:create_app",
        factory=True,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.WSGI,
        workers=WORKERS,
        blocking_threads=THREADS,
        respawn_failed_workers=True,
        log_enabled=True,
        log_access=False,
    ).serve()
