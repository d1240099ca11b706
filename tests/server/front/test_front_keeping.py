"""Kept answers: of one state, the last used ones, never more than fit."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from server.front.keeping import OVERHEAD, Answers, Kept

MOST = 5_000
steps = st.tuples(
    st.sampled_from(["keep", "get"]),
    st.sampled_from("12"),
    st.integers(0, 6),
    st.integers(0, 3_000),
    st.integers(0, 500),
)


def answer(size: int, name: int = 0) -> Kept:
    return Kept([], bytes(size), b"%d" % name, 0, "")


@given(st.lists(steps, max_size=60))
def test_the_bound_holds_and_only_the_state_that_is_asked_for_is_told(
    script: list[tuple[str, str, int, int, int]],
) -> None:
    answers, kept_in, sizes = Answers(MOST, 2_000), "", dict[int, set[int]]()
    for what, state, name, size, length in script:
        if what == "get":
            found = answers.get(state, name)
            if state != kept_in:
                kept_in, sizes = state, {}
                assert found is None
            if found is not None:
                assert found.tag == b"%d" % name
                assert len(found.body) in sizes[name]
                assert len(found.body) <= 2_000
        else:
            before = answers.size
            answers.keep(state, name, answer(size, name), length)
            if state != kept_in or size > 2_000:
                assert answers.size == before
            else:
                sizes.setdefault(name, set()).add(size)  # what was pushed out may be kept anew
        assert 0 <= answers.size <= MOST


def test_the_least_used_goes_first() -> None:
    answers = Answers(3 * OVERHEAD, OVERHEAD)
    answers.get("1", "a")
    for name in "abc":
        answers.keep("1", name, answer(0), 0)
    answers.get("1", "a")
    answers.keep("1", "d", answer(0), 0)
    assert [name for name in "abcd" if answers.get("1", name)] == ["a", "c", "d"]


def test_what_fits_by_no_means_pushes_nothing_out() -> None:
    answers = Answers(3 * OVERHEAD, 3 * OVERHEAD)
    answers.get("1", "a")
    answers.keep("1", "a", answer(10), 0)
    answers.keep("1", "b", answer(3 * OVERHEAD), 0)
    answers.keep("1", "c", answer(10), 3 * OVERHEAD)
    assert answers.get("1", "a")
    assert answers.size == OVERHEAD + 10
