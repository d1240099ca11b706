"""The pictures' data: what is tied to what, and on whose word."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from kg.errors import ParameterError
from kg.filters import Filters
from kg.index import StanceRow
from kg.names import ID, WS
from kg.settings import Settings
from server.app import create_app
from server.picturing.arguments import argument_map
from server.picturing.causes import Claim, causal_map
from server.picturing.kinds import KINDS
from server.picturing.material import most_held
from server.picturing.matrix import stance_matrix
from server.picturing.network import one_mode, two_modes
from server.picturing.options import read_options
from server.picturing.perceptions import perception_map
from server.picturing.picture import Picture
from server.picturing.stances import read_stances
from server.picturing.timeline import timeline

_numbers = count()
FAMILIES = {"states": "truth", "wants": "will", "fears": "feeling", "welcomes": "feeling", "asks": "noncommittal"}


def row(holder: str, content: str, polarity: str = "affirms", act: str = "states", **more: Any) -> StanceRow:
    """An assertion in one line: who, what, and whether they affirm it."""
    given: dict[str, Any] = {
        "iri": f"{ID}d/a{next(_numbers)}", "holder": ID + holder, "act": f"{WS}act-{act}",
        "family": f"{WS}family-{FAMILIES[act]}", "polarity": f"{WS}polarity-{polarity}",
        "standing": WS + "standing-onRecord", "proposition": ID + content, "kind": "relation",
        "day": None, "earliest": None, "latest": None,
    }  # fmt: skip
    return StanceRow(**(given | more))


def hedged(holder: str, content: str, polarity: str = "affirms") -> StanceRow:
    return row(holder, content, polarity, standing=WS + "standing-hedged")


def ties(picture: Picture) -> dict[tuple[str, str], tuple[str, float]]:
    return {(tie.source, tie.target): (tie.kind, tie.weight) for tie in picture.ties}


def network(*rows: StanceRow, on_record: bool = True, **options: Any) -> Picture:
    return one_mode(read_stances(rows, on_record=on_record), **({"ties": "subtract"} | options))


# The discourse network.

THREE = (
    row("a", "p"), row("b", "p"), row("c", "p", "denies"),
    row("a", "q"), row("b", "q"),
    row("a", "r", "denies"), row("b", "r", "denies"), row("c", "r", "denies"),
    row("a", "s"), row("b", "t"),
)  # fmt: skip
"""a and b share three contents; c opposes both on one and shares one with each."""


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("congruence", {("a", "b"): 3, ("a", "c"): 1, ("b", "c"): 1}),
        ("conflict", {("a", "c"): 1, ("b", "c"): 1}),
        ("subtract", {("a", "b"): 3}),
    ],
)
def test_actors_are_tied_by_shared_and_opposed_positions(kind: str, expected: dict[tuple[str, str], float]) -> None:
    found = network(*THREE, ties=kind)
    assert {pair: weight for pair, (_, weight) in ties(found).items()} == expected
    assert all(tie.kind == ("conflict" if kind == "conflict" else "congruence") for tie in found.ties)


def test_more_opposed_than_shared_is_a_conflict() -> None:
    rows = [
        row("a", "p"),
        row("b", "p", "denies"),
        row("a", "q"),
        row("b", "q", "denies"),
        row("a", "r"),
        row("b", "r"),
    ]
    (tie,) = network(*rows).ties
    assert (tie.kind, tie.weight, dict(tie.parts)) == ("conflict", 1, {"shared": 1, "opposed": 2})
    assert set(tie.assertions) == {r.iri for r in rows}


@pytest.mark.parametrize(
    ("normal", "weight"),
    [("none", 3), ("average", 3 / 4), ("jaccard", 3 / 5), ("cosine", 3 / 4)],
)
def test_weights_are_divided_as_is_asked(normal: str, weight: float) -> None:
    found = network(*THREE, ties="congruence", normal=normal)
    assert ties(found)["a", "b"][1] == pytest.approx(weight, abs=1e-4)  # a and b speak of 4 contents each, 5 together


def test_who_wants_a_thing_and_who_denies_it_do_not_disagree() -> None:
    assert not network(row("a", "p", act="wants"), row("b", "p", "denies")).ties


def test_who_fears_a_thing_and_who_welcomes_it_do_not_agree() -> None:
    assert not network(row("a", "p", act="fears"), row("b", "p", act="welcomes")).ties
    assert network(row("a", "p", act="fears"), row("b", "p", act="fears")).ties


def test_questions_lacking_stances_and_what_is_left_open_tie_nobody() -> None:
    for other in (row("b", "p", act="asks"), row("b", "p", "lacks"), row("b", "p", "leavesOpen")):
        assert not network(row("a", "p"), other, ties="congruence").ties


def test_hedged_stances_count_only_when_asked_and_disowned_ones_never() -> None:
    assert not network(row("a", "p"), hedged("b", "p")).ties
    assert network(row("a", "p"), hedged("b", "p"), on_record=False).ties
    disowned = row("b", "p", standing=WS + "standing-disavowed")
    assert not network(row("a", "p"), disowned, on_record=False).ties


def test_where_not_all_actors_are_looked_at_the_picture_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    stances = read_stances([row("x", "p"), row("y", "p"), row("z", "p")], on_record=True)
    assert not one_mode(stances, ties="congruence").cut
    monkeypatch.setattr("server.picturing.network.MOST_ACTORS", 2)
    found = one_mode(stances, ties="congruence")
    assert (found.cut, len(found.ties)) == (True, 1)


def test_a_threshold_cuts_ties_and_isolates_are_shown_when_asked() -> None:
    assert set(ties(network(*THREE, ties="congruence", least=2))) == {("a", "b")}
    assert [n.key for n in network(*THREE, ties="congruence", least=2).nodes] == ["a", "b"]
    assert [n.key for n in network(*THREE, ties="congruence", least=2, isolates=True).nodes] == ["a", "b", "c"]


def test_of_too_many_actors_the_most_active_are_drawn_and_the_others_counted() -> None:
    found = network(*THREE, ties="congruence", top=2)
    assert ([n.key for n in found.nodes], found.left_out) == (["a", "b"], (1, 2))


def test_states_stand_for_those_who_belong_to_them() -> None:
    states = {ID + "a": (ID + "x",), ID + "b": (ID + "x",), ID + "c": (ID + "y",)}
    stances = read_stances(THREE, on_record=True, actors=lambda agent: states[agent])
    assert ties(one_mode(stances, ties="subtract")) == {}
    assert ties(one_mode(stances, ties="conflict")) == {("x", "y"): ("conflict", 1)}


def test_in_two_modes_actors_are_tied_to_contents_that_several_speak_of() -> None:
    found = two_modes(read_stances(THREE, on_record=True))
    assert ties(found)["c", "p~ws:family-truth"] == ("denies", 1)
    assert {node.key for node in found.nodes if node.kind == "content"} == {f"{c}~ws:family-truth" for c in "pqr"}
    whole = two_modes(read_stances(THREE, on_record=True), isolates=True, normal=True)
    assert ties(whole)["a", "s~ws:family-truth"] == ("affirms", 0.25)


# The stance matrix.


def test_the_most_contested_comes_first_in_the_matrix() -> None:
    rows = [row(h, "agreed") for h in "abc"] + [
        row("a", "contested"),
        row("b", "contested", "denies"),
        row("c", "alone"),
    ]
    found = stance_matrix(read_stances(rows, on_record=False))
    assert [n.iri for n in found.nodes if n.kind == "content"] == [ID + "contested", ID + "agreed"]
    assert len(stance_matrix(read_stances(rows, on_record=False), shared=1).ties) == 6


def test_cells_tell_sides_and_hedges() -> None:
    rows = [
        row("a", "p"),
        row("a", "p", "denies"),
        hedged("b", "p"),
        row("c", "p", "lacks"),
        row("d", "p", "leavesOpen"),
    ]
    found = stance_matrix(read_stances(rows, on_record=False))
    cells = {tie.source: (tie.kind, tie.how) for tie in found.ties}
    assert cells == {
        "a": ("both", "affirmed"),
        "b": ("affirms", "hedged"),
        "c": ("lacks", "affirmed"),
        "d": ("open", "affirmed"),
    }


def test_those_alike_lie_together_when_asked() -> None:
    rows = [row(h, c) for h, c in ("ap", "bq", "cp", "dq", "ar", "cr", "bs", "ds")]
    found = stance_matrix(read_stances(rows, on_record=False), alike=True)
    holders = [n.key for n in found.nodes if n.kind == "agent"]
    assert {frozenset(holders[:2]), frozenset(holders[2:])} == {frozenset("ac"), frozenset("bd")}


# Causes.

CLAIMS = {ID + "ab": [Claim(ID + "a", ID + "b", "increases")], ID + "bc": [Claim(ID + "b", ID + "c", "decreases")]}


def test_a_cause_raises_or_lowers_an_effect_on_somebodys_word() -> None:
    found = causal_map([row("x", "ab"), row("y", "ab"), row("x", "bc", "denies")], CLAIMS, {}, top=60)
    told = {(t.source, t.target): (t.kind, t.how, t.holders) for t in found.ties}
    assert told == {
        ("a", "b"): ("increases", "affirmed", (ID + "x", ID + "y")),
        ("b", "c"): ("decreases", "denied", (ID + "x",)),
    }


@pytest.mark.parametrize(
    ("said", "how"),
    [
        (row("x", "ab"), "affirmed"), (hedged("x", "ab"), "hedged"), (row("x", "ab", "denies"), "denied"),
        (row("x", "ab", "leavesOpen"), "open"), (row("x", "ab", act="fears"), "wished"),
    ],
)  # fmt: skip
def test_a_tie_tells_how_it_stands(said: StanceRow, how: str) -> None:
    (tie,) = causal_map([said], CLAIMS, {}, top=60).ties
    assert tie.how == how


def test_a_lacking_stance_is_no_tie() -> None:
    assert not causal_map([row("x", "ab", "lacks")], CLAIMS, {}, top=60).ties


def test_the_steps_of_a_pathway_are_its_holders() -> None:
    steps = {ID + "path": [ID + "ab", ID + "bc"]}
    rows = [row("x", "path", kind="pathway"), row("y", "ab")]
    found = causal_map(rows, CLAIMS, steps, top=60)
    assert {(t.source, t.target): (t.holders, t.pathways) for t in found.ties} == {
        ("a", "b"): ((ID + "x", ID + "y"), (ID + "path",)),
        ("b", "c"): ((ID + "x",), (ID + "path",)),
    }
    assert not causal_map([row("y", "ab")], CLAIMS, steps, top=60, only_pathways=True).ties


def test_what_is_drawn_of_too_many_factors_hangs_together() -> None:
    claims = {f"{ID}c{n}": [Claim(f"{ID}f{n}", ID + "hub", "increases")] for n in range(20)}
    claims[ID + "apart"] = [Claim(ID + "u", ID + "v", "increases")]
    found = causal_map([row("x", c.removeprefix(ID)) for c in claims], claims, {}, top=5)
    assert len(found.nodes) == 5
    assert {end for tie in found.ties for end in (tie.source, tie.target)} == {node.key for node in found.nodes}
    assert found.left_out == (18, 17)


# Arguments.


def test_premises_lead_by_an_argument_to_its_conclusion_and_attacks_to_what_they_attack() -> None:
    rows = [row("x", "arg", kind="argument")]
    parts = [{"argument": ID + "arg", "premise": ID + p, "conclusion": ID + "c"} for p in ("p", "q")]
    attack = {"attacker": ID + "d/b1", "attacked": rows[0].iri, "kind": WS + "attackKind-undercuts",
              "attackerContent": ID + "no", "attackedContent": ID + "arg", "attackerHolder": ID + "y"}  # fmt: skip
    strange = attack | {
        "attacker": ID + "d/b2",
        "attacked": ID + "d/b3",
        "attackerContent": ID + "e",
        "attackedContent": ID + "f",
    }
    found = argument_map(rows, parts, [attack, strange], top=60)
    assert {(t.source, t.target, t.kind) for t in found.ties} == {
        ("p", "arg", "premise"), ("q", "arg", "premise"), ("arg", "c", "conclusion"), ("no", "arg", "undercuts"),
    }  # fmt: skip
    assert {n.key: n.kind for n in found.nodes}["arg"] == "argument"


def test_an_argument_is_drawn_whole_or_not_at_all() -> None:
    rows = [row("x", f"arg{n}", kind="argument") for n in range(3)]
    parts = [{"argument": f"{ID}arg{n}", "premise": f"{ID}p{n}", "conclusion": f"{ID}c{n}"} for n in range(3)]
    found = argument_map(rows, parts, [], top=7)
    assert (len(found.nodes), len(found.ties), found.left_out) == (6, 4, (3, 2))


def test_links_join_contents_that_are_drawn_and_others_only_where_asked() -> None:
    rows = [row("x", "arg", kind="argument")]
    parts = [{"argument": ID + "arg", "premise": ID + p, "conclusion": ID + "c"} for p in ("p", "q")]

    def link(one: str, other: str, **contents: str) -> dict[str, str]:
        return {"from": ID + one, "to": ID + other, "kind": WS + "linkKind-narrows", "drawnBy": ID + "y"} | contents

    links = [link("p", "q"), link("d/s1", "c", fromContent=ID + "q"), link("c", "else"), link("else", "more")]
    found = argument_map(rows, parts, [], links, top=60)
    joined = {(t.source, t.target): t for t in found.ties if t.kind == "link"}
    assert set(joined) == {("p", "q"), ("q", "c")}
    assert joined["q", "c"].assertions == (ID + "d/s1",)
    assert joined["q", "c"].label == WS + "linkKind-narrows"
    found = argument_map(rows, parts, [], links, bring_others=True, top=60)
    assert {(t.source, t.target) for t in found.ties if t.kind == "link"} == {*joined, ("c", "else")}
    assert len(argument_map(rows, parts, [], links, bring_others=True, top=4).nodes) == 4


# Perceptions and the timeline.


def test_who_sees_whom_as_what() -> None:
    rows = [row("x", "friend"), row("y", "friend", "denies")]
    images = [
        {
            "proposition": ID + "friend",
            "perceived": ID + "z",
            "image": WS + "image-friend",
            "valence": WS + "valence-positive",
        }
    ]
    found = perception_map(rows, images, top=40)
    assert [(t.source, t.target, t.kind, t.how, t.label) for t in found.ties] == [
        ("x~perceives", "z~perceived", "positive", "affirmed", WS + "image-friend"),
        ("y~perceives", "z~perceived", "positive", "denied", WS + "image-friend"),
    ]
    assert len(perception_map(rows, images, top=1).ties) == 1


def test_the_timeline_is_in_order_and_leaves_out_stances_dated_by_their_document() -> None:
    said = row("x", "p", day="1998-07", earliest="1998-07-01", latest="1998-07-31")
    dated_by_document = row("x", "q", day="1998-11-14", earliest="1998-11-14", latest="1998-11-14")
    event = {
        "node": ID + "treaty",
        "earliest": "1965-05-01",
        "latest": "1965-05-31",
        "day": "1965-05",
        "actor": ID + "x",
    }
    found = timeline([said, dated_by_document], [event], [], dated={said.iri})
    assert [(n.iri, n.kind, n.day) for n in found.nodes] == [
        (ID + "treaty", "event", "1965-05"),
        (ID + "p", "stance", "1998-07"),
    ]
    assert len(timeline([said, dated_by_document], [event], []).nodes) == 3


def test_events_follow_the_filters_as_far_as_they_can() -> None:
    event = {
        "node": ID + "treaty",
        "earliest": "1965-05-01",
        "latest": "1965-05-31",
        "day": "1965-05",
        "actor": ID + "x",
    }

    def drawn(**filters: Any) -> int:
        return len(timeline([], [event], [], filters=Filters(**filters)).nodes)

    assert drawn(since="1965-05-31") == drawn(until="1965-05-01") == drawn(chosen={"holder": (ID + "x",)}) == 1
    assert drawn(since="1965-06-01") == drawn(until="1965-04-30") == drawn(chosen={"holder": (ID + "y",)}) == 0
    assert drawn(words="treaty") == drawn(chosen={"act": (WS + "act-wants",)}) == 0


# What they are made from.


def test_of_too_many_contents_those_that_are_held_most_are_looked_at() -> None:
    rows = [row("a", "p"), row("b", "p"), row("a", "q")]
    assert most_held(rows, 1) == rows[:2]
    assert most_held(rows) is rows


def test_stances_are_those_that_the_index_lists(sample_settings: Settings) -> None:
    app = create_app(sample_settings)
    reader = app.config["READER"]
    with reader.snapshot() as snapshot:
        index = reader.index_of(snapshot)
        for filters in (
            Filters(),
            Filters({"holder": (ID + "amalia-orvosd",)}),
            Filters(words="toll"),
            Filters(withdrawn=True),
        ):
            whole = {r.iri: r for r in index.assertions(filters) if r.proposition and r.standing}
            lean = index.stances(filters)
            assert [stance.iri for stance in lean] == sorted(whole)
            for stance in lean:
                assert all(getattr(whole[stance.iri], name) == getattr(stance, name) for name in StanceRow._fields)
        assert len(index.stances(Filters(), limit=3)) == 3


@pytest.mark.parametrize(
    "given", [("top", "0"), ("top", "many"), ("top", "1.5"), ("least", "nan"), ("ties", "none"), ("level", "")]
)
def test_a_wrong_option_is_told_and_an_empty_one_is_none(given: tuple[str, str]) -> None:
    if given[1]:
        with pytest.raises(ParameterError, match=given[0]):
            read_options(KINDS["network"].options, [given])
    else:
        assert read_options(KINDS["network"].options, [given])["level"] == "holder"
