"""The door, besieged: whatever is sent, the service answers in words, stays up, and keeps the graph as it was."""

import json
import random
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kg.backup import dataset_digest
from kg.settings import Settings
from tests.additions import FORMS, addition, as_form, assertion, reply_record
from tests.door import ServedDoor, serve_door
from tests.pace import within
from tests.server.hostile import GOOD, HEAVY, ODD, REFUSED, Case

pytestmark = pytest.mark.slow

ADDRESSES = (
    ("POST", "/validate", None),
    ("POST", "/assertions", "cleo"),
    ("PUT", "/documents/reply-from-borduria", "cleo"),
    ("POST", "/proposals", "anna"),
)
LARGE = 1_000_000
"""Bytes above which a body is sent to the first two addresses only."""

MOST_TOLD = 1_000_000
"""Bytes above which an answer says more than anybody reads."""


class Trap:
    """A socket that listens for what nobody may ask for."""

    def __init__(self) -> None:
        self.calls = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = str(self._socket.getsockname()[1])
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.calls += 1
            connection.close()

    def close(self) -> None:
        self._socket.close()


@pytest.fixture(scope="module")
def door(sample_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedDoor]:
    with serve_door(sample_settings.store, tmp_path_factory.mktemp("door")) as served:
        with ThreadPoolExecutor(8) as pool:  # both workers start their cells
            list(pool.map(lambda _: served.ask("POST", "/validate", GOOD), range(16)))
        assert served.ask("POST", "/assertions", addition("before"), by="cleo").status_code == 201
        yield served


@pytest.fixture(scope="module")
def trap() -> Iterator[Trap]:
    trap = Trap()
    yield trap
    trap.close()


@pytest.fixture(scope="module", autouse=True)
def nothing_falls(door: ServedDoor, trap: Trap) -> Iterator[None]:
    """The same processes run afterwards, the graph is the same, nobody called out, and the door works."""
    pids, digest = door.workers(), digest_of(door)
    yield
    assert door.workers() == pids
    assert digest_of(door) == digest
    assert trap.calls == 0
    assert door.leftovers() == []
    assert door.numbers() == [1, 2]
    assert door.ask("GET", "/proposals", by="cleo").json() == []
    assert "Traceback" not in door.log.read_text("utf-8", "replace")
    assert door.ask("POST", "/assertions", addition("after"), by="cleo").status_code == 201


def digest_of(door: ServedDoor) -> str:
    return dataset_digest(door.state())


def send(door: ServedDoor, trap: Trap, case: Case, address: tuple[str, str, str | None]) -> httpx.Response:
    form, make = case
    method, path, by = address
    answer = door.ask(method, path, make().replace(b"@PORT@", trap.port.encode()), by=by, form=form)
    assert answer.status_code < 500 or is_busy(answer), answer.text[:500]
    assert len(answer.content) < MOST_TOLD
    assert door.secrets["cleo"] not in answer.text
    return answer


def is_busy(answer: httpx.Response) -> bool:
    return answer.status_code == 503 and "Retry-After" in answer.headers


def is_refused(answer: httpx.Response) -> bool:
    if answer.request.url.path == "/validate" and answer.status_code == 200:
        return not answer.json()["conforms"]
    if answer.status_code == 422:
        return bool(answer.json()["violations"])
    return answer.status_code in (400, 409, 413) and bool(answer.json()["detail"])


def good_is_answered(door: ServedDoor) -> bool:
    answer = door.ask("POST", "/validate", GOOD)
    return answer.status_code == 200 and bool(answer.json()["conforms"])


@pytest.mark.parametrize("name", REFUSED)
def test_the_hostile_is_refused_at_every_address(door: ServedDoor, trap: Trap, name: str) -> None:
    name_before = door.folder.current_name()
    size = len(REFUSED[name][1]())
    for address in ADDRESSES if size < LARGE else ADDRESSES[:2]:
        assert is_refused(send(door, trap, REFUSED[name], address)), address
    assert good_is_answered(door)
    assert door.folder.current_name() == name_before


@pytest.mark.parametrize("name", ODD)
def test_the_odd_is_judged(door: ServedDoor, trap: Trap, name: str) -> None:
    assert send(door, trap, ODD[name], ADDRESSES[0]).status_code == 200
    assert good_is_answered(door)


def test_what_is_too_much_ends_at_its_deadline_and_others_are_answered(door: ServedDoor, trap: Trap) -> None:
    started = time.monotonic()
    with ThreadPoolExecutor(len(HEAVY)) as pool:
        answers = [pool.submit(send, door, trap, case, ADDRESSES[0]) for case in HEAVY.values()]
        while not all(a.done() for a in answers):
            read = door.client.get(door.address + "/sparql?query=ASK%7B%7D")
            assert read.status_code == 200
            time.sleep(0.5)
    assert all(a.result().status_code in (200, 413) or is_busy(a.result()) for a in answers)
    assert within(time.monotonic() - started, 90)
    assert good_is_answered(door)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("method", "path", "by"), ADDRESSES)
def test_what_is_cut_off_anywhere_is_answered(
    door: ServedDoor, method: str, path: str, by: str | None, form: str
) -> None:
    whole = as_form(addition("cut", evidencedBy="bridge-toll/0-49"), form)
    for end in random.Random(form).sample(range(1, len(whole)), 6):
        answer = door.ask(method, path, whole[:end], by=by, form=form)
        assert answer.status_code < 500, (end, answer.text[:500])


TOKENS = [
    *(b"\x00", b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\xe2\x80\xae", b"\r", b"\n\n", b"\t", b"9" * 400),
    *b"{ [ < \" ''' \\ \\ud800 &a *a !! # @ _:b <<( @context @id @reverse &lt; &#0; ]]> -0 1e999 ../ %00".split(),
    *b"null ~ xml:base rdf:nodeID isDefinedBy supersedes borduria bridge-toll act-lacks 2003-13 .. ws:within".split(),
    *(b": ", b"- ", b" a ", b"<!DOCTYPE a>", b"status: retracted", b"reply-from-borduria/s1a", b"ontology#Leader"),
]
BASES = {
    form: [as_form(record, form) for record in (addition("m", assertion("n", holder="borduria")), reply_record())]
    for form in FORMS
}
cuts = st.tuples(
    st.sampled_from(["cut", "drop", "put", "swap", "twice", "flip"]),
    st.floats(0, 1),
    st.integers(0, 60),
    st.sampled_from(TOKENS),
)


def mutate(data: bytes, kind: str, where: float, length: int, token: bytes) -> bytes:
    at = int(where * len(data))
    if kind == "cut":
        return data[:at]
    if kind == "drop":
        return data[:at] + data[at + length :]
    if kind == "put":
        return data[:at] + token + data[at:]
    if kind == "swap":
        return data[:at] + token + data[at + length :]
    if kind == "twice":
        return data[: at + length * 20] + data[at:]
    return data[:at] + bytes(b ^ 1 << length % 8 for b in data[at : at + 1]) + data[at + 1 :]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.sampled_from(FORMS), st.integers(0, 1), st.lists(cuts, min_size=1, max_size=3))
def test_what_is_garbled_is_answered(
    door: ServedDoor, form: str, base: int, changes: list[tuple[str, float, int, bytes]]
) -> None:
    data = BASES[form][base]
    for change in changes:
        data = mutate(data, *change)
    answer = door.ask("POST", "/validate", data, form=form)
    assert answer.status_code < 500, answer.text
    if answer.status_code != 200 or not answer.json()["conforms"]:
        for method, path, by in ADDRESSES[1:2] + ADDRESSES[3:]:
            assert 400 <= door.ask(method, path, data, by=by, form=form).status_code < 500


WORDS = """
id type entries to defaults assertions holder proposition gloss prefLabel about Issue Assertion Document Person
reply-from-borduria reply-from-borduria/x borduria x act states evidencedBy reports supersedes sentences passages start
end digest factors links title creator @id @type @context @graph @list @value no 0 1999-.. status retracted"""
words = st.sampled_from([*WORDS.split(), ""])
trees = st.recursive(
    words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=5),
    max_leaves=14,
)
heads = st.sampled_from(
    [
        {},
        {"to": "reply-from-borduria"},
        {"id": "reply-from-borduria", "type": "Document"},
        {"id": "d", "type": "Document"},
    ]
)
sections = st.dictionaries(
    st.sampled_from(
        ["entries", "assertions", "propositions", "passages", "sentences", "citations", "defaults", "steps"]
    ),
    st.lists(st.dictionaries(words, trees, max_size=6), max_size=3) | trees,
    max_size=3,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(heads, sections, trees)
def test_records_of_any_shape_are_answered(
    door: ServedDoor, head: dict[str, str], body: dict[str, object], other: object
) -> None:
    """Where a word is expected a list stands, where a list a mapping."""
    data = json.dumps(head | body).encode()
    for form, sent in (("yaml", data), ("jsonld", data), ("jsonld", json.dumps(other).encode())):
        answer = door.ask("POST", "/validate", sent, form=form)
        assert answer.status_code in (200, 400, 409, 413), answer.text


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.binary(max_size=300), st.sampled_from(FORMS))
def test_any_bytes_are_answered(door: ServedDoor, data: bytes, form: str) -> None:
    assert door.ask("POST", "/validate", data, form=form).status_code in (200, 400, 409)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | words,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["assertion", "reason", "accept", "reject", "id", "revision"]), inner, max_size=4
        )
    ),
    max_leaves=8,
)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(json_values, st.sampled_from(["/retractions", "/proposals/decisions"]))
def test_any_json_is_answered(door: ServedDoor, value: object, path: str) -> None:
    assert door.ask("POST", path, value, by="cleo").status_code in (400, 404)


paths = st.sampled_from(
    ["/changes/", "/proposals/", "/documents/", "/changes?about=", "/changes?before=", "/proposals?after="]
)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(paths, st.text(max_size=20) | st.integers().map(str), st.sampled_from(["GET", "PUT", "POST", "DELETE"]))
def test_any_address_is_answered(door: ServedDoor, start: str, rest: str, method: str) -> None:
    quoted = httpx.QueryParams({"": rest.encode("utf-8", "replace").decode("utf-8", "replace")})
    answer = door.ask(method, start + str(quoted)[1:], b"nothing" if method != "GET" else None, by="cleo")
    assert answer.status_code < 500
    assert answer.status_code not in (201, 204)
