"""Requests as the front reads them: addresses, tags that clients have, bodies."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.front.application import read_graph_address
from server.front.protocol import ProtocolError
from server.front.requests import Message, Request, read_body

TAG = b'W/"000007-18ea-ab12"'


def request(*headers: tuple[bytes, bytes], **scope: Any) -> Request:
    return Request({"method": "GET", "path": "/store", "headers": [(b"host", b"x.example"), *headers], **scope})


@pytest.mark.parametrize(
    ("told", "any_will_do", "known"),
    [
        (b'W/"000007-18ea-ab12"', False, True),
        (b'"000007-18ea-ab12"', False, True),
        (b'"x", W/"000007-18ea-ab12" , "y"', False, True),
        (b'"000007-18ea-ab1"', False, False),
        (b'W/"1000007-18ea-ab12"', False, False),
        (b"000007-18ea-ab12", False, False),
        (b"*", True, True),
        (b" * ", True, True),
        (b"*", False, False),
        (b'"*"', True, False),
        (b"", True, False),
    ],
)
def test_tags_are_compared_weakly(told: bytes, any_will_do: bool, known: bool) -> None:
    assert request((b"if-none-match", told)).knows(TAG, any_will_do=any_will_do) is known


def test_several_headers_are_one_list() -> None:
    told = request((b"if-none-match", b'"x"'), (b"if-none-match", TAG), (b"accept", b"a/b"), (b"accept", b"c/d"))
    assert told.knows(TAG)
    assert told.accept == "a/b, c/d"


def test_who_brings_something_has_no_answer_yet() -> None:
    assert not request((b"if-none-match", TAG), method="POST").knows(TAG)


@pytest.mark.parametrize(
    ("raw", "address"),
    [
        (b"/store/a:b@c,d;e=f", "http://x.example/store/a:b@c,d;e=f"),
        (b"/store/%2F%41", "http://x.example/store/%2F%41"),
        ("/store/é".encode(), "http://x.example/store/%C3%A9"),
        (b"/store/a b>", "http://x.example/store/a%20b%3E"),
        (b"/store/x?query=1", "http://x.example/store/x"),
    ],
)
def test_an_address_is_as_it_was_sent(raw: bytes, address: str) -> None:
    assert request(path="/whatever", raw_path=raw).address == address


@given(st.binary(max_size=40), st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_whatever_the_address_a_graph_is_named_or_the_request_refused(raw: bytes, host: str) -> None:
    told = Request(
        {
            "method": "GET", "path": "/store/x", "raw_path": b"/store/" + raw, "query_string": raw,
            "headers": [(b"host", host.encode())],
        }
    )  # fmt: skip
    refused, graph = 0, ""
    try:
        graph, _ = read_graph_address(told)
    except ProtocolError as error:
        refused = error.status
    assert refused in (0, 400)
    assert not set(graph) & set(' <>"{}|\\^`')


def body(pieces: list[bytes], *, leaves: bool = False) -> Any:
    told: list[Message] = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    told.append({"type": "http.disconnect"} if leaves else {"type": "http.request", "body": b"", "more_body": False})

    async def receive() -> Message:
        return told.pop(0)

    return receive


@given(st.lists(st.binary(max_size=20), max_size=6))
def test_a_body_is_the_sum_of_its_pieces(pieces: list[bytes]) -> None:
    whole = b"".join(pieces)
    assert asyncio.run(read_body(body(pieces), len(whole))) == whole
    if whole:
        with pytest.raises(ProtocolError) as caught:
            asyncio.run(read_body(body(pieces), len(whole) - 1))
        assert caught.value.status == 413


@given(st.lists(st.binary(max_size=5), max_size=4))
def test_a_body_without_an_end_is_none(pieces: list[bytes]) -> None:
    with pytest.raises(ProtocolError) as caught:
        asyncio.run(read_body(body(pieces, leaves=True), 1_000))
    assert caught.value.status == 400
