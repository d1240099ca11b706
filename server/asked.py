"""What a request asks by its address, where that is a whole number."""

from __future__ import annotations

from flask import request

from kg.errors import ParameterError

MOST = 10**15
"""The largest number that can be asked for; what counts things here counts no further."""


def asked_number(name: str, default: int, *, least: int = 0, most: int = MOST) -> int:
    """Return the whole number that an address gives.

    Parameters:
        name: of the parameter.
        default: where it is not given.
        least, most: bounds, themselves included.

    Raises:
        ParameterError: it is no whole number, or out of bounds.
    """
    text = request.args.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdecimal() or len(text) > len(str(most)) or not least <= int(text) <= most:
        bounds = f"from {least}" if most == MOST else f"from {least} to {most:,}"
        raise ParameterError(f"`{name}` is `{text[:40]}`", mend=f"give a whole number, {bounds}")
    return int(text)
