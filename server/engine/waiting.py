"""Questions that wait for a worker: whoever has the fewest being answered is next.

A client who sends a hundred questions at once waits for them himself; others hardly notice.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator

from server.engine.messages import Ask
from server.engine.running import Running

Waiter = tuple[Ask, Running]


class Waiting:
    """Questions that wait, by client.

    >>> waiting = Waiting()
    >>> for client in ("a", "a", "b"):
    ...     waiting.add(Ask("query", ""), Running("1", client, "", 1.0, 1.0))
    >>> waiting.take(Counter)[1].client, waiting.take(lambda: Counter("a"))[1].client, len(waiting)
    ('a', 'b', 1)
    """

    def __init__(self) -> None:
        self._queues: dict[str, deque[Waiter]] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Waiter]:
        return (waiter for queue in list(self._queues.values()) for waiter in list(queue))

    def add(self, ask: Ask, running: Running) -> None:
        """Let a question wait, behind the others of its client."""
        self._queues.setdefault(running.client, deque()).append((ask, running))
        self._count += 1

    def take(self, answered: Callable[[], Counter[str]]) -> Waiter:
        """Take out the question that is next; there must be one.

        Parameters:
            answered: tells how many of each client are being answered; not called where only one client waits.
        """
        client = next(iter(self._queues))
        if len(self._queues) > 1:
            client = min(self._queues, key=answered().__getitem__)
        return self._take(client, 0)

    def remove(self, running: Running) -> None:
        """Take out a question, if it waits."""
        for at, (_, other) in enumerate(self._queues.get(running.client, ())):
            if other is running:
                self._take(running.client, at)
                return

    def surplus(self) -> Running:
        """Return the question that is to go where too many wait: the last of the client who has the most."""
        return max(self._queues.values(), key=len)[-1][1]

    def _take(self, client: str, at: int) -> Waiter:
        queue = self._queues[client]
        waiter = queue[at]
        del queue[at]
        self._count -= 1
        if not queue:
            del self._queues[client]
        return waiter
