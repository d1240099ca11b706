"""The load generator: where an answer ends, what is an error, and that nothing bad counts as good."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.errors import MalformedError
from server.load import Answer, make_load
from tests.pace import within

HEAD = b"HTTP/1.1 200 OK\r\nServer: x\r\n"


def chunked(parts: list[bytes], *, trailer: bytes = b"") -> bytes:
    chunks = b"".join(b"%x;a=b\r\n%b\r\n" % (len(part), part) for part in parts if part)
    return HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n" + trailer + b"\r\n"


def sized(body: bytes) -> bytes:
    return HEAD + b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(data), *(cut % len(data) for cut in cuts)})
    return [data[a:b] for a, b in pairwise(places)]


parts = st.lists(st.one_of(st.binary(max_size=40), st.sampled_from([b"\r\n", b"0\r\n\r\n", b"a\r\n"])), max_size=6)
cuts = st.lists(st.integers(0, 10_000), max_size=12)


@given(parts, cuts, st.sampled_from([b"", b"Expires: 0\r\n"]), st.booleans(), st.booleans())
def test_an_answer_is_complete_at_its_last_byte_however_it_is_cut(
    body: list[bytes], places: list[int], trailer: bytes, interim: bool, in_chunks: bool
) -> None:
    data = chunked(body, trailer=trailer) if in_chunks else sized(b"".join(body))
    data = b"HTTP/1.1 100 Continue\r\n\r\n" * interim + data
    answer = Answer()
    answer.begin(keep=True)
    *early, last = pieces(data, places)
    assert not any(answer.feed(piece) for piece in early)
    assert answer.feed(last)
    assert answer.body == b"".join(body)
    assert answer.size == len(answer.body)
    assert not answer.closing


@given(parts, st.integers(1, 10_000), st.booleans())
def test_an_answer_that_is_cut_is_never_complete(body: list[bytes], place: int, in_chunks: bool) -> None:
    data = chunked(body) if in_chunks else sized(b"".join(body))
    answer = Answer()
    answer.begin(keep=False)
    assert not answer.feed(data[: place % len(data)])
    assert not answer.end()


@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"HTTP/1.1 two\r\n\r\n",
        HEAD + b"Content-Length: many\r\n\r\n",
        sized(b"body") + b"x",
        chunked([b"body"]) + b"x",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n4\r\nbodyx\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nfour\r\nbody\r\n0\r\n\r\n",
        HEAD + b"x" * 70_000,
    ],
)
def test_what_is_no_answer_is_refused(data: bytes) -> None:
    answer = Answer()
    answer.begin(keep=False)
    with pytest.raises(MalformedError, match="the answer is malformed"):
        answer.feed(data)


@contextmanager
def answering(answer: Callable[[bytes], bytes | None]) -> Iterator[tuple[str, int]]:
    """A server that answers each request with these bytes, hanging up where they end with `!`; None is silence."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve(connection: socket.socket) -> None:
        with connection:
            while request := connection.recv(65_536):
                told = answer(request)
                if told is None:
                    continue
                connection.sendall(told.removesuffix(b"!"))
                if told.endswith(b"!"):
                    return

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listener.getsockname()
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def number(n: int) -> bytes:
    return b"GET /%d HTTP/1.1\r\n\r\n" % n


def path(request: bytes) -> bytes:
    return request.split()[1][1:]


def test_every_request_is_sent_once_and_every_answer_is_counted() -> None:
    seen: list[bytes] = []

    def answer(request: bytes) -> bytes:
        seen.append(path(request))
        return chunked([path(request) * 1_000])

    with answering(answer) as address:
        load = make_load(
            address,
            number,
            clients=7,
            requests=100,
            first=50,
            every=10,
            check=lambda n, body: body == b"%d" % n * 1_000,
        )
    assert sorted(map(int, seen)) == list(range(50, 150))
    assert len(load.latencies) == load.asked == 100
    assert load.bytes == sum(len(n) * 1_000 for n in seen)
    assert load.checked == 10
    assert not load.errors
    assert load.rate == 100 / load.seconds
    assert 0 < load.quantile(0.5) <= load.quantile(0.99) == sorted(load.latencies)[98] * 1_000


@pytest.mark.parametrize(
    ("bad", "what"),
    [
        (sized(b"half of it")[:-5] + b"!", "cut"),
        (chunked([b"all but the end"])[:-5] + b"!", "cut"),
        (b"!", "connection closed unanswered"),
        (b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nbusy", "status 503"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", "status 204"),
        (sized(b"another"), "wrong"),
    ],
)
def test_what_is_not_good_is_an_error_and_counts_in_no_figure(bad: bytes, what: str) -> None:
    with answering(lambda request: bad if path(request).endswith(b"3") else sized(b"right")) as address:
        load = make_load(address, number, clients=3, requests=20, check=lambda _, body: body == b"right")
    assert load.errors == {what: 2}
    assert len(load.latencies) == 18
    assert load.bytes == 18 * 5


def test_where_the_server_closes_after_each_answer_it_is_called_again() -> None:
    by_close = b"HTTP/1.0 200 OK\r\n\r\nhello!"
    told = HEAD + b"Connection: close\r\nContent-Length: 5\r\n\r\nhello!"
    with answering(lambda request: by_close if path(request)[-1] % 2 else told) as address:
        load = make_load(address, number, clients=2, requests=10)
    assert (len(load.latencies), load.bytes, load.errors) == (10, 50, {})


def test_each_client_asks_at_least_once_and_time_ends_the_rest() -> None:
    with answering(lambda _: sized(b"")) as address:
        assert make_load(address, number, clients=5, seconds=0).asked == 5
        load = make_load(address, number, clients=2, seconds=0.2)
    assert load.asked > 2
    assert load.seconds > 0.1
    assert within(load.seconds, 2)


def test_patience_ends_and_what_is_unanswered_is_told() -> None:
    with answering(lambda request: None if path(request) == b"1" else sized(b"")) as address:
        load = make_load(address, number, clients=3, requests=3, patience=0.3)
    assert (load.unanswered, len(load.latencies)) == (1, 2)


def test_a_server_that_is_not_there_is_an_error_for_each_client() -> None:
    with answering(lambda _: None) as address:
        pass
    load = make_load(address, number, clients=4, seconds=5)
    assert load.errors == {"no connection": 4}
    assert load.rate == 0
    assert load.quantile(0.99) == 0
