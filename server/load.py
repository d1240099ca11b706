"""A load generator for HTTP/1.1: so many clients, each asking again as soon as it is answered.

It is one process with one `epoll` and plain sockets, so that what is measured is the server and not
us: the bytes of a request are made by a function of its number, and of an answer no more is looked
at than tells where it ends (RFC 9112, sections 6 and 7.1), how it begins, and, for a sample, what
is in it. An answer that is cut, or of another status than 200, or found wrong, is an error and
counts in no figure. Requests are not pipelined, and `HEAD` is not asked.
"""

from __future__ import annotations

import select
import socket
import time
from array import array
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from kg.errors import MalformedError

_PIECE = 1 << 16
_LONGEST_HEAD = 1 << 16
_EMPTY = (204, 304)


@dataclass
class Load:
    """What came of a load.

    Parameters:
        clients: how many asked at once.
        seconds: from the first request to the last good answer.
        latencies: seconds from each request to the end of its answer; good answers only.
        bytes: in the bodies of the good answers.
        checked: how many of them were looked into.
        errors: how many answers were not good, by what was wrong.
        unanswered: requests that were given up when patience ended.
        asked: how many requests were sent.

    >>> load = Load(2, 0.5, array("d", [0.003, 0.001, 0.002]))
    >>> load.rate, load.quantile(0.5), load.quantile(0.99)
    (6.0, 2.0, 3.0)
    """

    clients: int
    seconds: float = 0.0
    latencies: array[float] = field(default_factory=lambda: array("d"))
    bytes: int = 0
    checked: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    unanswered: int = 0
    asked: int = 0

    @property
    def rate(self) -> float:
        """Good answers a second."""
        return len(self.latencies) / self.seconds if self.latencies else 0.0

    def quantile(self, share: float) -> float:
        """Return the milliseconds in which this share of the good answers was complete; 0 where there is none."""
        return quantile(self.latencies, share)


def quantile(latencies: array[float], share: float) -> float:
    """Return the milliseconds that this share of the latencies does not exceed (nearest rank).

    Parameters:
        latencies: in seconds, in any order.
        share: between 0 and 1.

    >>> quantile(array("d", [0.004, 0.001, 0.002, 0.003]), 0.5)
    2.0
    """
    ordered = sorted(latencies)
    return ordered[max(0, -int(-share * len(ordered) // 1) - 1)] * 1_000 if ordered else 0.0


def make_load(
    address: tuple[str, int],
    request: Callable[[int], bytes],
    *,
    clients: int,
    seconds: float = 1.0,
    requests: int | None = None,
    first: int = 0,
    check: Callable[[int, bytes], bool] | None = None,
    every: int = 1,
    patience: float = 60.0,
) -> Load:
    """Put a server under load.

    Parameters:
        address: host and port.
        request: gives the bytes of the request with a number, head and body.
        clients: how many connections ask at once; each asks at least once.
        seconds: how long new requests are sent; answers that are under way are waited for.
        requests: send so many instead, however long it takes.
        first: number of the first request.
        check: tells whether the body that came for a request is right.
        every: which requests are checked: those whose number it divides.
        patience: seconds after which all that is under way is given up.

    >>> import threading
    >>> server = socket.create_server(("127.0.0.1", 0))
    >>> def answer() -> None:
    ...     connection, _ = server.accept()
    ...     for _ in range(3):
    ...         connection.recv(1000)
    ...         connection.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nhi")
    ...     connection.close()
    >>> threading.Thread(target=answer).start()
    >>> load = make_load(server.getsockname(), lambda n: b"GET /%d HTTP/1.1\\r\\n\\r\\n" % n, clients=1, requests=3)
    >>> len(load.latencies), load.bytes, load.errors
    (3, 6, Counter())
    >>> server.close()
    """
    return _Run(address, request, clients, seconds, requests, first, check, every, patience).run()


class Answer:
    """An answer as it comes in, piece by piece.

    Attributes:
        status: its status; 0 until the head is complete.
        size: bytes of its body, as far as they are announced.
        closing: the server closes the connection after it.

    >>> answer = Answer()
    >>> answer.begin(keep=True)
    >>> answer.feed(b"HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n2\\r\\nhi\\r")
    False
    >>> answer.feed(b"\\n0\\r\\n\\r\\n"), answer.body
    (True, b'hi')
    """

    __slots__ = (
        "_between",
        "_chunked",
        "_keep",
        "_left",
        "_parts",
        "_pending",
        "_until_closed",
        "closing",
        "size",
        "status",
    )

    def begin(self, *, keep: bool) -> None:
        """Be ready for the next answer.

        Parameters:
            keep: its body is wanted.
        """
        self.status = self.size = self._left = 0
        self.closing = self._chunked = self._between = self._until_closed = False
        self._keep = keep
        self._parts: list[bytes] = []
        self._pending = b""

    @property
    def body(self) -> bytes:
        """What was kept of the body."""
        return b"".join(self._parts)

    def feed(self, data: bytes) -> bool:
        """Take the next bytes; tell whether the answer is complete.

        Raises:
            MalformedError: it is no HTTP, or more came than one answer.
        """
        if self._pending:
            data, self._pending = self._pending + data, b""
        start = 0
        while not self.status:
            end = data.find(b"\r\n\r\n", start)
            if end < 0:
                if len(data) > _LONGEST_HEAD:
                    raise _malformed("its head has no end")
                self._pending = data[start:]
                return False
            self._read_head(data[start:end])
            start = end + 4
        if self._chunked:
            return self._feed_chunks(data, start)
        came = len(data) - start
        if self._keep and came:
            self._parts.append(data[start:])
        if self._until_closed:
            self.size += came
            return False
        self._left -= came
        if self._left < 0:
            raise _malformed("more came than its length")
        return self._left == 0

    def end(self) -> bool:
        """Take the end of the connection; tell whether that makes the answer complete."""
        return self._until_closed and self.status > 0

    def _read_head(self, head: bytes) -> None:
        try:
            version, status = head[:8], int(head[9:12])
        except ValueError:
            version, status = b"", 0
        if version not in (b"HTTP/1.1", b"HTTP/1.0"):
            raise _malformed("it does not begin as HTTP/1")
        if status < 200:
            return  # an interim answer; the true one follows
        self.status = status
        low = head.lower()
        connection = _value(low, b"\r\nconnection:")
        self.closing = connection == b"close" or (version == b"HTTP/1.0" and connection != b"keep-alive")
        if status in _EMPTY:
            return
        if b"chunked" in _value(low, b"\r\ntransfer-encoding:"):
            self._chunked = True
            return
        length = _value(low, b"\r\ncontent-length:")
        if length.isdigit():
            self.size = self._left = int(length)
        elif length:
            raise _malformed("its length is no number")
        else:
            self._until_closed = self.closing = True

    def _feed_chunks(self, data: bytes, at: int) -> bool:
        stop = len(data)
        while at < stop:
            if self._left:
                step = min(self._left, stop - at)
                if self._keep:
                    self._parts.append(data[at : at + step])
                self._left -= step
                at += step
                self._between = True
                continue
            line = at + 2 if self._between else at  # the line feed that ends a chunk stands before the next one's size
            end = data.find(b"\r\n", line)
            if end < 0:
                break
            if self._between and data[at:line] != b"\r\n":
                raise _malformed("a chunk is longer than its size")
            try:
                size = int(data[line:end].partition(b";")[0], 16)
            except ValueError:
                raise _malformed("the size of a chunk is no number") from None
            if not size:
                last = data.find(b"\r\n\r\n", end)  # after the trailer fields, if any
                if 0 <= last < stop - 4:
                    raise _malformed("more came than one answer")
                if last < 0:
                    break
                return True
            self.size += size
            self._left = size
            at = end + 2
        self._pending = data[at:]
        if len(self._pending) > _LONGEST_HEAD:
            raise _malformed("the size of a chunk has no end")
        return False


class _Client:
    """One of those who ask."""

    __slots__ = ("answer", "number", "since", "socket")

    def __init__(self) -> None:
        self.answer = Answer()
        self.number = 0
        self.since = 0.0
        self.socket: socket.socket | None = None


@dataclass
class _Run:
    address: tuple[str, int]
    request: Callable[[int], bytes]
    clients: int
    seconds: float
    requests: int | None
    first: int
    check: Callable[[int, bytes], bool] | None
    every: int
    patience: float

    def run(self) -> Load:
        self.load = Load(self.clients)
        self.poll = select.epoll()
        self.asking: dict[int, _Client] = {}
        self.begun = time.perf_counter()
        try:
            waiting = [_Client() for _ in range(self.clients)]
            for client in waiting:
                self._connect(client)
            self.begun = time.perf_counter()
            for client in waiting:
                if client.socket is not None:
                    self._ask(client, self.begun)
            self._listen()
        finally:
            self.load.unanswered = len(self.asking)
            for client in self.asking.values():
                if client.socket is not None:
                    client.socket.close()
            self.poll.close()
        return self.load

    def _listen(self) -> None:
        asking, poll = self.asking, self.poll
        end = self.begun + self.patience
        while asking:
            left = end - time.perf_counter()
            if left <= 0:
                return
            for descriptor, _ in poll.poll(left):
                client = asking[descriptor]
                assert client.socket is not None
                try:
                    data = client.socket.recv(_PIECE)
                    complete = client.answer.feed(data) if data else client.answer.end()
                except OSError:
                    self._fail(client, "connection lost")
                except MalformedError as error:
                    self._fail(client, error.problem)
                else:
                    if complete:
                        self._take(client)
                    elif not data:
                        self._fail(client, "cut" if client.answer.status else "connection closed unanswered")

    def _take(self, client: _Client) -> None:
        now = time.perf_counter()
        load, answer = self.load, client.answer
        if answer.status != 200:
            load.errors[f"status {answer.status}"] += 1
        elif self._is_right(client):
            load.latencies.append(now - client.since)
            load.bytes += answer.size
            load.seconds = now - self.begun
        else:
            load.errors["wrong"] += 1
        if answer.closing:
            self._leave(client)
            if self._goes_on(now):
                self._connect(client)
        if client.socket is not None:
            self._ask(client, now)

    def _is_right(self, client: _Client) -> bool:
        if self.check is None or client.number % self.every:
            return True
        self.load.checked += 1
        return self.check(client.number, client.answer.body)

    def _fail(self, client: _Client, why: str) -> None:
        self.load.errors[why] += 1
        self._leave(client)
        now = time.perf_counter()
        if self._goes_on(now):
            self._connect(client)
            if client.socket is not None:
                self._ask(client, now)

    def _ask(self, client: _Client, now: float) -> None:
        if not self._goes_on(now):
            self._leave(client)
            return
        assert client.socket is not None
        client.number = number = self.first + self.load.asked
        self.load.asked += 1
        client.answer.begin(keep=self.check is not None and not number % self.every)
        client.since = now
        try:
            client.socket.sendall(self.request(number))
        except OSError:
            self.load.errors["connection lost"] += 1
            self._leave(client)

    def _goes_on(self, now: float) -> bool:
        if self.requests is not None:
            return self.load.asked < self.requests
        return now < self.begun + self.seconds or self.load.asked < self.clients

    def _connect(self, client: _Client) -> None:
        try:
            client.socket = socket.create_connection(self.address, timeout=self.patience)
        except OSError:
            self.load.errors["no connection"] += 1
            return
        client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.asking[client.socket.fileno()] = client
        self.poll.register(client.socket.fileno(), select.EPOLLIN)

    def _leave(self, client: _Client) -> None:
        assert client.socket is not None
        del self.asking[client.socket.fileno()]
        client.socket.close()  # by which it leaves the poll too
        client.socket = None


def _value(head: bytes, name: bytes) -> bytes:
    at = head.find(name)
    if at < 0:
        return b""
    at += len(name)
    end = head.find(b"\r", at)
    return head[at : end if end >= 0 else len(head)].strip()


def _malformed(why: str) -> MalformedError:
    return MalformedError(f"the answer is malformed: {why}", mend="see what stands between us and the server")
