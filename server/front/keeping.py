"""Kept answers: exactly those of the newest snapshot, under a bound on memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import NamedTuple

OVERHEAD = 1_000
"""Bytes that an answer takes beside its body."""

Headers = list[tuple[bytes, bytes]]


class Kept(NamedTuple):
    """An answer, ready to be sent.

    Parameters:
        headers: with its length and its tag.
        body: all of it.
        tag: its ETag.
        rows: how many, -1 where that is not known.
        text: of the query, for the log.
    """

    headers: Headers
    body: bytes
    tag: bytes
    rows: int
    text: str


class Answers:
    """Answers by request; the least used go first.

    Parameters:
        most: bytes of all.
        largest: bytes of one.

    >>> answers = Answers(10_000, 1_000)
    >>> answers.get("1", "a")
    >>> answers.keep("1", "a", Kept([], b"body", b"tag", 1, ""), 10)
    >>> answers.get("1", "a").body, answers.get("2", "a")
    (b'body', None)
    """

    def __init__(self, most: int, largest: int) -> None:
        self.largest = min(largest, most)
        self.size = 0
        self._most = most
        self._state = ""
        self._kept: OrderedDict[Hashable, Kept] = OrderedDict()
        self._sizes: dict[Hashable, int] = {}

    def get(self, state: str, request: Hashable) -> Kept | None:
        """Return the answer to a request, where it is kept.

        Parameters:
            state: of the graph; whatever belongs to another one is forgotten.
            request: all that the answer depends on beside the state.
        """
        if state != self._state:
            self._kept.clear()
            self._sizes.clear()
            self._state, self.size = state, 0
            return None
        found = self._kept.get(request)
        if found is not None:
            self._kept.move_to_end(request)
        return found

    def keep(self, state: str, request: Hashable, answer: Kept, length: int) -> None:
        """Keep an answer, where it is of the newest state and not too large.

        Parameters:
            state, request: see `get`.
            answer: what is sent.
            length: bytes of the request.
        """
        size = len(answer.body) + length + OVERHEAD
        if state != self._state or len(answer.body) > self.largest or size > self._most or request in self._kept:
            return
        self._kept[request] = answer
        self._sizes[request] = size
        self.size += size
        while self.size > self._most:
            oldest, _ = self._kept.popitem(last=False)
            self.size -= self._sizes.pop(oldest)
