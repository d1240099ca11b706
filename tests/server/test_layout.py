"""The layout of diagrams: nothing overlaps, arrows lead down, the same input gives the same drawing."""

from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from server.layout import Arrow, lay_out

NAMES = "abcdefgh"
graphs = st.sets(
    st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)).filter(lambda pair: pair[0] != pair[1]), max_size=12
)


@settings(max_examples=40)
@given(graphs, st.integers(20, 200), st.integers(0, 90))
def test_nothing_overlaps_whatever_the_graph(pairs: set[tuple[str, str]], width: int, label: int) -> None:
    boxes = {name: (width + 7.0 * i, 30.0 + 11 * (i % 3)) for i, name in enumerate(NAMES)}
    arrows = [Arrow(a, b, label, 14) for a, b in sorted(pairs)]
    found = lay_out(boxes, arrows)
    assert found == lay_out(boxes, arrows)
    areas = [(p.x, p.y, *boxes[name]) for name, p in found.boxes.items()]
    areas += [(p.x, p.y, label, 14) for p in found.labels]
    for (x, y, w, h), (x2, y2, w2, h2) in combinations(areas, 2):
        assert abs(x - x2) >= (w + w2) / 2 - 0.01 or abs(y - y2) >= (h + h2) / 2 - 0.01
    assert all(x - w / 2 + 0.01 >= 0 and x + w / 2 <= found.width + 0.01 for x, _, w, _ in areas)
    assert all(y - h / 2 + 0.01 >= 0 and y + h / 2 <= found.height + 0.01 for _, y, _, h in areas)


@settings(max_examples=40)
@given(graphs)
def test_arrows_begin_and_end_at_their_boxes(pairs: set[tuple[str, str]]) -> None:
    boxes = dict.fromkeys(NAMES, (120.0, 40.0))
    arrows = [Arrow(a, b, 30, 14) for a, b in sorted(pairs)]
    found = lay_out(boxes, arrows)
    for arrow, route in zip(arrows, found.routes, strict=True):
        for name, point in ((arrow.source, route[0]), (arrow.target, route[-1])):
            box = found.boxes[name]
            assert abs(point.x - box.x) <= 60
            assert abs(abs(point.y - box.y) - 20) < 0.01


def test_arrows_lead_down_where_there_is_no_circle() -> None:
    boxes = dict.fromkeys("abcd", (80.0, 40.0))
    found = lay_out(boxes, [Arrow(a, b, 20, 14) for a, b in ("ab", "ac", "bd", "cd", "ad")])
    assert found.boxes["a"].y < found.boxes["b"].y == found.boxes["c"].y < found.boxes["d"].y


def test_boxes_that_could_stand_either_way_keep_the_order_in_which_they_were_given() -> None:
    boxes = dict.fromkeys(["top", "one", "two", "three"], (80.0, 40.0))
    found = lay_out(boxes, [Arrow("top", name, 20, 14) for name in ("one", "two", "three")])
    assert found.boxes["one"].x < found.boxes["two"].x < found.boxes["three"].x
