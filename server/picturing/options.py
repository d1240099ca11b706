"""The options of pictures: what can be chosen beside the filters, as it stands in the address and in the form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from kg.errors import ParameterError


@dataclass(frozen=True)
class Option:
    """Something that can be chosen.

    Parameters:
        name: in the address.
        words: in the form.
        default: what it is where nothing is said.
        choices: value to words; empty where it is a number.
        least, most: bounds of a number.
        whole: whether the number is a whole one.
    """

    name: str
    words: str
    default: str
    choices: Mapping[str, str] = field(default_factory=dict)
    least: float = 0
    most: float = 1_000
    whole: bool = True


TOP = Option("top", "Nodes at most", "60", least=2, most=300)
LEVEL = Option("level", "Actors", "holder", {"holder": "the holders themselves", "state": "the states they belong to"})


def read_options(options: Sequence[Option], pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Read options from an address.

    Parameters:
        options: those there are; other names are passed over.
        pairs: names and values; the last value of a name counts, an empty one is none.

    Raises:
        ParameterError: a value makes no sense.

    >>> read_options([TOP, LEVEL], [("level", "state"), ("holder", "ruritania")])
    {'top': '60', 'level': 'state'}
    """
    given = {name: value.strip() for name, value in pairs if value.strip()}
    return {option.name: _check(option, given.get(option.name, option.default)) for option in options}


def write_options(options: Sequence[Option], values: Mapping[str, str]) -> list[tuple[str, str]]:
    """Write the options that are not as they are by themselves as pairs of an address.

    >>> write_options([TOP, LEVEL], {"top": "60", "level": "state"})
    [('level', 'state')]
    """
    return [(option.name, values[option.name]) for option in options if values[option.name] != option.default]


def _check(option: Option, value: str) -> str:
    if option.choices:
        if value not in option.choices:
            raise ParameterError(f"`{option.name}` is `{value[:80]}`", mend=f"use one of: {', '.join(option.choices)}")
        return value
    try:
        number = int(value) if option.whole else float(value)
    except ValueError:
        number = None
    if number is None or not option.least <= number <= option.most:
        kind = "whole number" if option.whole else "number"
        raise ParameterError(
            f"`{option.name}` is `{value[:80]}`", mend=f"give a {kind} from {option.least:g} to {option.most:g}"
        )
    return f"{number:g}" if not option.whole else str(number)
