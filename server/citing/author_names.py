"""Names of authors, as bibliographies want them: which part is the family name, where that is known.

The graph keeps a name whole, as it is printed, and names are not built alike everywhere: Roh Moo-hyun is Mr Roh, Victor
Cha Mr Cha, 윤태룡 has no space at all. A wrong cut is worse than none, so a name is cut only where something shows how:

- another name of the person is written with a comma: ``Cha, Victor``;
- a particle before the last word (``Ludwig van Beethoven``), or an initial within (``Jack H. Park``): the family name
  comes last;
- one of two words is hyphenated with a small letter after the hyphen, as in Korea: that word is the given name.

All else stays whole, which every style prints rightly, though it sorts by the first word. To settle a name, give the
person the ``altLabel`` with the comma.

Source: Tame the BeaST, section 11, on the parts of names; CSL 1.0.2, on name variables.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_INITIAL = re.compile(r"\w\.(-?\w\.)*\Z")
_GIVEN = re.compile(r"[^\W\d_]+-[^\W\d_]+\Z")
_SUFFIXES = {"Jr.", "Jr", "Sr.", "Sr", "II", "III", "IV"}


@dataclass(frozen=True)
class Author:
    """An author.

    Parameters:
        name: the whole name, as it is printed.
        family, given: its parts; None where they are not known, and of a body.
        particle: what stands before the family name and does not count when sorting, such as ``van``.
        suffix: what stands after the name, such as ``Jr.``.
    """

    name: str
    family: str | None = None
    given: str | None = None
    particle: str = ""
    suffix: str = ""

    @property
    def inverted(self) -> str:
        """The name as it is sorted: ``van Beethoven, Ludwig``; whole where its parts are not known."""
        if self.family is None or self.given is None:
            return self.name
        first = f"{self.particle} {self.family}".strip()
        return ", ".join(part for part in (first, self.suffix, self.given) if part)


def read_author(name: str, others: Iterable[str] = (), *, person: bool = True) -> Author:
    """Return an author from a name.

    Parameters:
        name: as it is printed.
        others: other names of the same one.
        person: False for a body, whose name is never cut.

    >>> read_author("Ludwig van Beethoven").inverted, read_author("Jack H. Park").inverted
    ('van Beethoven, Ludwig', 'Park, Jack H.')
    >>> read_author("Roh Moo-hyun").inverted, read_author("Dae-yeol Kown").inverted
    ('Roh, Moo-hyun', 'Kown, Dae-yeol')
    >>> read_author("Victor Cha").inverted, read_author("Victor Cha", ["Cha, Victor"]).inverted
    ('Victor Cha', 'Cha, Victor')
    """
    if not person:
        return Author(name)
    for other in others:
        family, comma, given = (part.strip() for part in other.partition(","))
        if comma and sorted(f"{given} {family}".split()) == sorted(name.split()):
            return _with_particle(name, family.split(), given)
    words = name.split()
    suffix = words.pop() if len(words) > 2 and words[-1] in _SUFFIXES else ""
    small = [place for place, word in enumerate(words[:-1]) if word[:1].islower() and place > 0]
    if small:
        return _with_particle(name, words[small[0] :], " ".join(words[: small[0]]), suffix)
    if len(words) > 2 and any(_INITIAL.match(word) for word in words[1:-1]):
        return Author(name, words[-1], " ".join(words[:-1]), suffix=suffix)
    korean = [place for place, word in enumerate(words) if _is_korean_given(word)]
    if len(words) == 2 and len(korean) == 1:
        return Author(name, words[1 - korean[0]], words[korean[0]], suffix=suffix)
    return Author(name)


def _with_particle(name: str, family: list[str], given: str, suffix: str = "") -> Author:
    """Return an author whose family name may begin with small words."""
    start = next((place for place, word in enumerate(family) if not word[:1].islower()), 0)
    return Author(name, " ".join(family[start:]), given, " ".join(family[:start]), suffix)


def _is_korean_given(word: str) -> bool:
    return bool(_GIVEN.match(word)) and word.partition("-")[2][:1].islower()
