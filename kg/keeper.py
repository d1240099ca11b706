"""Keeping the newest snapshot open, for a process that answers many requests."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from kg.errors import WhosaysError
from kg.store import Snapshot, StoreFolder


class Keeper:
    """Opens the newest snapshot once and keeps it until a newer one is published; safe for threads.

    Parameters:
        folder: the store.
        ahead: seconds between looks for a newer snapshot, which is then opened before anybody asks;
            None where it is opened when somebody asks.

    >>> import tempfile
    >>> from pathlib import Path
    >>> Keeper(StoreFolder(Path(tempfile.mkdtemp()))).folder.current_name() is None
    True
    """

    def __init__(self, folder: StoreFolder, *, ahead: float | None = None) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._open: Mapping[str, tuple[Snapshot, object]] = {}
        if ahead is not None:
            threading.Thread(target=self._look_out, args=(ahead,), daemon=True).start()

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """Give the newest snapshot; who still reads an older one keeps that one alive.

        Raises:
            NotFoundError: nothing was ever published.
        """
        yield self._newest()

    def _newest(self) -> Snapshot:
        held = self._open.get(self.folder.current_name() or "")
        if held is None:
            with self._lock:
                held = self._open.get(self.folder.current_name() or "")
                if held is None:
                    context = self.folder.snapshot()
                    snapshot = context.__enter__()
                    held = (snapshot, context)
                    self._open = {snapshot.name: held}
        return held[0]

    def _look_out(self, pause: float) -> None:
        while True:
            time.sleep(pause)
            if self.folder.current_name() not in self._open:
                try:
                    self._newest()
                except (WhosaysError, OSError):
                    continue  # whoever asks is told
