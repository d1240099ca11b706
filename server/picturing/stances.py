"""Who stands where on what: the stances that networks and matrices are made of.

A content is compared within one family of acts only (MODEL, hazard 3: who wants something and who denies it do not
disagree). Feelings are compared act by act: who fears a thing and who welcomes it both feel something about it, and
do not agree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from kg.index import StanceRow
from kg.names import WS
from server.picturing.picture import unique

_PLAIN = ("family-truth", "family-will")
_FEELING = "family-feeling"
_LEFT_OUT = "disavowed"


class Matter(NamedTuple):
    """What stances are compared on.

    Parameters:
        content: proposition.
        family: IRI of the family of acts; of a feeling, that of the act.
    """

    content: str
    family: str


@dataclass
class Stance:
    """How one actor stands to one matter.

    Parameters:
        sides: polarities in which the actor holds it, by the last part of their names.
        rows: the assertions.
    """

    sides: set[str] = field(default_factory=set)
    rows: list[StanceRow] = field(default_factory=list)

    @property
    def side(self) -> str:
        """One of `server.picturing.picture.SIDES`; what is said outweighs what is left open or lacking."""
        if {"affirms", "denies"} <= self.sides:
            return "both"
        return next(side for side in ("affirms", "denies", "leavesOpen", "lacks") if side in self.sides).replace(
            "leavesOpen", "open"
        )

    @property
    def hedged(self) -> bool:
        """Whether nothing of it is on record without a hedge."""
        return not any(row.standing == WS + "standing-onRecord" for row in self.rows)

    @property
    def assertions(self) -> tuple[str, ...]:
        """The assertions, without repetition."""
        return unique(row.iri for row in self.rows)


Stances = Mapping[Matter, Mapping[str, Stance]]
"""Matter to actor to stance."""


def read_stances(
    rows: Iterable[StanceRow], *, on_record: bool, actors: Callable[[str], Sequence[str]] = lambda agent: (agent,)
) -> Stances:
    """Return who stands where on what.

    Parameters:
        rows: assertions; reports, questions and withdrawals are passed over, and so is what the text disowns.
        on_record: only what is said without hedge or distance.
        actors: the actors that a holder counts as.

    >>> read_stances([], on_record=True)
    {}
    """
    found: dict[Matter, dict[str, Stance]] = {}
    for row in rows:
        matter = matter_of(row)
        standing = (row.standing or "").removeprefix(WS + "standing-")
        polarity = row.polarity.removeprefix(WS + "polarity-")
        if matter is None or standing in ("", _LEFT_OUT):
            continue
        if on_record and standing != ("open" if polarity == "leavesOpen" else "onRecord"):
            continue
        for actor in actors(row.holder):
            stance = found.setdefault(matter, {}).setdefault(actor, Stance())
            stance.sides.add(polarity)
            stance.rows.append(row)
    return found


def matter_of(row: StanceRow) -> Matter | None:
    """Return what an assertion's stance is compared on, None where it can be compared with none."""
    if row.proposition is None:
        return None
    family = row.family.removeprefix(WS)
    if family == _FEELING:
        return Matter(row.proposition, row.act)
    return Matter(row.proposition, row.family) if family in _PLAIN else None
