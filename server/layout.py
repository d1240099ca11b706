"""Layered layout of a small directed graph: where the boxes stand, how the arrows run, where their labels go.

After Sugiyama, Tagawa, Toda (1981), "Methods for Visual Understanding of Hierarchical System Structures", in the
four steps of Gansner, Koutsofios, North, Vo (1993), "A Technique for Drawing Directed Graphs": ranks, order within
ranks, positions, routes. A label is a box of a rank between those of its arrow, so that nothing is ever
drawn over it. It is written for some twenty boxes; the ready-made pure-Python layout (grandalf) places no labels,
stands under the GPL or EPL and has been without a release for years.

All lengths are in pixels; x grows to the right, y downwards.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

GAP = 22
"""Between boxes that stand side by side."""
RANK_GAP = 26
"""Between a rank of boxes and the rank of labels below it."""
PORT_GAP = 18
"""Between arrows at the side of a box."""
_SWEEPS = 16
_PLACEMENTS = 200
_TRIALS = 30
_ABOUT = 100


@dataclass(frozen=True)
class Arrow:
    """An arrow to be laid out.

    Parameters:
        source: name of the box that it starts at.
        target: name of the box that it leads to.
        width: of its label.
        height: of its label.
    """

    source: str
    target: str
    width: float
    height: float


@dataclass(frozen=True)
class Point:
    """A place."""

    x: float
    y: float


@dataclass(frozen=True)
class Layout:
    """What comes out.

    Parameters:
        boxes: centre of each box, by its name.
        labels: centre of the label of each arrow, in the order in which the arrows were given.
        routes: of each arrow, the points that it runs through from source to target, in pairs, each of which
            is joined by a straight upright line.
        width: of the whole.
        height: of the whole.
    """

    boxes: Mapping[str, Point]
    labels: Sequence[Point]
    routes: Sequence[Sequence[Point]]
    width: float
    height: float


@dataclass(eq=False)
class _Slot:
    """A box, a label, or a place where an arrow passes a rank."""

    rank: int
    width: float
    height: float
    above: list[_Slot] = field(default_factory=list, repr=False)
    below: list[_Slot] = field(default_factory=list, repr=False)
    is_box: bool = False
    x: float = 0.0
    y: float = 0.0
    place: int = 0
    number: int = 0


def lay_out(boxes: Mapping[str, tuple[float, float]], arrows: Sequence[Arrow]) -> Layout:
    """Place boxes so that arrows lead down, with few crossings and short ways.

    Parameters:
        boxes: width and height of each box, by its name.
        arrows: between two different boxes; at most one in each direction.

    Returns:
        The layout; the same for the same input.

    >>> found = lay_out({"a": (80, 40), "b": (80, 40)}, [Arrow("a", "b", 30, 14)])
    >>> found.boxes["a"].y < found.labels[0].y < found.boxes["b"].y
    True
    """
    ranks = _rank(boxes, arrows)
    slots = {name: _Slot(2 * ranks[name], *size, is_box=True) for name, size in boxes.items()}
    for number, slot in enumerate(slots.values()):
        slot.number = number
    chains = [_chain(slots[a.source], slots[a.target], a) for a in arrows]
    rows = _rows([*slots.values(), *(slot for chain in chains for slot in chain[1:-1])])
    _order(rows)
    _place(rows, _PLACEMENTS)
    height = _stack(rows)
    left = min(slot.x - slot.width / 2 for row in rows for slot in row)
    for row in rows:
        for slot in row:
            slot.x -= left
    routes = _routes(chains, rows)
    return Layout(
        boxes={name: Point(slot.x, slot.y) for name, slot in slots.items()},
        labels=[_label_point(chain) for chain in chains],
        routes=[r if ranks[a.source] < ranks[a.target] else r[::-1] for r, a in zip(routes, arrows, strict=True)],
        width=max(slot.x + slot.width / 2 for row in rows for slot in row),
        height=height,
    )


def _rank(boxes: Mapping[str, object], arrows: Sequence[Arrow]) -> dict[str, int]:
    """Give each box a rank below all boxes that lead to it; arrows that close a circle do not count."""
    below: dict[str, list[str]] = {name: [] for name in boxes}
    for arrow in arrows:
        below[arrow.source].append(arrow.target)
    state: dict[str, str] = {}
    finished: list[str] = []
    forward: set[tuple[str, str]] = set()

    def visit(name: str) -> None:
        state[name] = "open"
        for other in below[name]:
            if state.get(other) != "open":
                forward.add((name, other))
            if other not in state:
                visit(other)
        state[name] = "done"
        finished.append(name)

    for name in boxes:
        if name not in state:
            visit(name)
    ranks = dict.fromkeys(boxes, 0)
    for name in reversed(finished):
        for other in below[name]:
            if (name, other) in forward:
                ranks[other] = max(ranks[other], ranks[name] + 1)
    targets = {other for _, other in forward}
    for name in finished:  # what nothing leads to stands just above what it leads to
        nearest = [ranks[other] for other in below[name] if (name, other) in forward]
        if nearest and name not in targets:
            ranks[name] = min(nearest) - 1
    return ranks


def _chain(source: _Slot, target: _Slot, arrow: Arrow) -> list[_Slot]:
    """Join two boxes by one slot in each rank between them, the label just below the upper one."""
    upper, lower = (source, target) if source.rank < target.rank else (target, source)
    chain = [upper]
    for rank in range(upper.rank + 1, lower.rank):
        labelled = rank == upper.rank + 1
        chain.append(_Slot(rank, arrow.width if labelled else 2, arrow.height if labelled else 0))
    chain.append(lower)
    for one, other in pairwise(chain):
        one.below.append(other)
        other.above.append(one)
    return chain


def _label_point(chain: Sequence[_Slot]) -> Point:
    return Point(chain[1].x, chain[1].y)


def _rows(slots: Sequence[_Slot]) -> list[list[_Slot]]:
    rows: list[list[_Slot]] = [[] for _ in range(max(slot.rank for slot in slots) + 1)]
    seen: set[int] = set()

    def visit(slot: _Slot) -> None:
        if id(slot) not in seen:
            seen.add(id(slot))
            rows[slot.rank].append(slot)
            for other in slot.below:
                visit(other)

    for slot in sorted(slots, key=lambda s: s.rank):
        visit(slot)
    return rows


def _order(rows: list[list[_Slot]]) -> None:
    """Order each row by where its neighbours stand, to and fro.

    Of all orders met on the way, the one with the fewest crossings is kept; of those with equally few, one with
    short ways; of those with about equally short ones, the one most like the order in which the boxes were given.
    """
    _number(rows)
    found: dict[int, list[list[list[_Slot]]]] = {_crossings(rows): [[list(row) for row in rows]]}
    for sweep in range(_SWEEPS):
        downwards = sweep % 2 == 0
        for row in rows if downwards else rows[::-1]:
            if sweep % 4 > 1:
                row.reverse()  # so that those who tie change places now and then
            row.sort(key=lambda slot: _mean([s.place for s in (slot.above if downwards else slot.below)], slot.place))
            _number([row])
        _transpose(rows)
        alike = found.setdefault(_crossings(rows), [])
        if rows not in alike:
            alike.append([list(row) for row in rows])
    best = min(found[min(found)], key=_merit)
    rows[:] = best
    _number(rows)


def _merit(rows: Sequence[Sequence[_Slot]]) -> tuple[int, int]:
    _place(rows, _TRIALS)
    length = sum(abs(slot.x - other.x) for row in rows for slot in row for other in slot.below)
    numbers = [[slot.number for slot in row if slot.is_box] for row in rows]
    disorder = sum(one > other for row in numbers for i, one in enumerate(row) for other in row[i + 1 :])
    return round(length / _ABOUT), disorder


def _transpose(rows: list[list[_Slot]]) -> None:
    """Swap neighbours in a row for as long as that takes a crossing away."""
    better = True
    while better:
        better = False
        for row in rows:
            for i in range(len(row) - 1):
                before = _crossings(rows)
                row[i], row[i + 1] = row[i + 1], row[i]
                _number([row])
                if _crossings(rows) < before:
                    better = True
                else:
                    row[i], row[i + 1] = row[i + 1], row[i]
                    _number([row])


def _number(rows: Sequence[Sequence[_Slot]]) -> None:
    for row in rows:
        for place, slot in enumerate(row):
            slot.place = place


def _crossings(rows: Sequence[Sequence[_Slot]]) -> int:
    count = 0
    for row in rows:
        ends = [(slot.place, other.place) for slot in row for other in slot.below]
        count += sum((a[0] - b[0]) * (a[1] - b[1]) < 0 for i, a in enumerate(ends) for b in ends[i + 1 :])
    return count


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _place(rows: Sequence[Sequence[_Slot]], sweeps: int) -> None:
    """Bring each slot as near to its neighbours as its row allows: the ways of all arrows together become short.

    Row by row, over and over, the best positions are found while all other rows stand; the sum of the squared
    sideways ways is convex, so this comes as near as one likes to the least.
    """
    for row in rows:
        x = 0.0
        for slot in row:
            slot.x = x + slot.width / 2
            x += slot.width + GAP
    for sweep in range(sweeps):
        for row in rows if sweep % 2 == 0 else rows[::-1]:
            wanted = []
            for slot in row:
                pulls = [(other.x, _pull(slot, other)) for other in (*slot.above, *slot.below)]
                weight = sum(w for _, w in pulls)
                wanted.append((sum(x * w for x, w in pulls) / weight if weight else slot.x, weight or 0.01))
            _spread(row, wanted)


def _pull(one: _Slot, other: _Slot) -> int:
    """Tell how much it matters that the way between two slots be straight: most where an arrow only passes."""
    return 1 if one.is_box and other.is_box else 2 if one.is_box or other.is_box else 300


def _spread(row: Sequence[_Slot], wanted: Sequence[tuple[float, float]]) -> None:
    """Set the slots of a row as near as can be to where they want to be, without touching one another.

    The least-squares solution, by pooling adjacent violators (isotonic regression) after the least distances
    have been taken off.

    Parameters:
        row: from left to right.
        wanted: for each, where it wants to be and how much that matters.
    """
    offsets = [0.0]
    for one, other in pairwise(row):
        offsets.append(offsets[-1] + (one.width + other.width) / 2 + GAP)
    pools: list[tuple[float, float, int]] = []
    for (x, weight), offset in zip(wanted, offsets, strict=True):
        total, mass, size = (x - offset) * weight, weight, 1
        while pools and pools[-1][0] / pools[-1][1] > total / mass:
            more, heavier, count = pools.pop()
            total, mass, size = total + more, mass + heavier, size + count
        pools.append((total, mass, size))
    shifts = [total / mass for total, mass, size in pools for _ in range(size)]
    for slot, shift, offset in zip(row, shifts, offsets, strict=True):
        slot.x = shift + offset


def _stack(rows: Sequence[Sequence[_Slot]]) -> float:
    y = 0.0
    for i, row in enumerate(rows):
        if not row:
            continue
        tall = max(slot.height for slot in row)
        if i:
            y += RANK_GAP
        for slot in row:
            slot.y = y + tall / 2
            if slot.is_box:
                slot.y = y + slot.height / 2  # boxes of a rank hang from one line
        y += tall
    return y


def _routes(chains: Sequence[Sequence[_Slot]], rows: Sequence[Sequence[_Slot]]) -> list[list[Point]]:
    bottoms = [max((s.y + s.height / 2 for s in row), default=0.0) for row in rows]
    tops = [min((s.y - s.height / 2 for s in row), default=0.0) for row in rows]
    leaving, arriving = _ports(chains, upper=True), _ports(chains, upper=False)
    routes = []
    for number, chain in enumerate(chains):
        upper, *passed, lower = chain
        x = upper.x + leaving[number]
        points = [Point(x, upper.y + upper.height / 2), Point(x, bottoms[upper.rank])]
        for slot in passed:
            points += [Point(slot.x, tops[slot.rank]), Point(slot.x, bottoms[slot.rank])]
        x, y = lower.x + arriving[number], lower.y - lower.height / 2
        points += [Point(x, y - 6), Point(x, y)]
        routes.append(points)
    return routes


def _ports(chains: Sequence[Sequence[_Slot]], *, upper: bool) -> dict[int, float]:
    """Share out the lower (or upper) side of each box among the arrows that leave (or reach) it there."""
    ends: dict[int, list[int]] = {}
    for number, chain in enumerate(chains):
        ends.setdefault(id(chain[0] if upper else chain[-1]), []).append(number)
    shifts: dict[int, float] = {}
    for numbers in ends.values():
        box = chains[numbers[0]][0 if upper else -1]
        numbers.sort(key=lambda n: chains[n][1 if upper else -2].x)
        gap = min(PORT_GAP, (box.width - 24) / max(len(numbers), 1))
        for place, number in enumerate(numbers):
            shifts[number] = (place - (len(numbers) - 1) / 2) * gap
    return shifts
