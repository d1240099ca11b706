"""Sets of assertions: one bit for each row, as an integer of any length, and how they are kept in the database.

Python's integers intersect and count 64 rows in about a nanosecond, which makes live counts of all facets cheap; a
value that few rows have is kept as the list of these rows, which takes less room.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterable, Sequence
from itertools import compress
from typing import TypeAlias

Bits: TypeAlias = int
"""A set of rows: bit `n` stands for row `n`."""

_LIST, _MAP = b"l", b"m"
_TO_FLAGS = bytes.maketrans(b"01", b"\0\1")


def bits_of(rows: Iterable[int]) -> Bits:
    """Return the set of some rows.

    >>> bits_of([0, 3]) == 0b1001
    True
    """
    rows = array("I", rows)
    if not rows:
        return 0
    flags = bytearray(max(rows) // 8 + 1)
    for row in rows:
        flags[row >> 3] |= 1 << (row & 7)
    return int.from_bytes(flags, "little")


def rows_of(bits: Bits) -> list[int]:
    """Return the rows of a set, in order.

    >>> rows_of(0b1001)
    [0, 3]
    """
    flags = flags_of(bits)
    return list(compress(range(len(flags)), flags))


def flags_of(bits: Bits) -> bytes:
    """Return a set as one byte for each row, 1 where the row is in it.

    >>> flags_of(0b101)
    b'\\x01\\x00\\x01'
    """
    return f"{bits:b}"[::-1].encode().translate(_TO_FLAGS)


def pack_bits(bits: Bits) -> bytes:
    """Return a set as it is kept in the database.

    >>> unpack_bits(pack_bits(0b1001)) == 0b1001
    True
    """
    count, length = bits.bit_count(), bits.bit_length() // 8 + 1
    if 4 * count < length:
        return _LIST + _in_order(array("I", rows_of(bits))).tobytes()
    return _MAP + bits.to_bytes(length, "little")


def pack_rows(rows: Sequence[int]) -> bytes:
    """Return the set of some rows as it is kept in the database.

    Parameters:
        rows: each once, in ascending order.
    """
    if not rows or 4 * len(rows) < rows[-1] // 8 + 1:
        return _LIST + _in_order(array("I", rows)).tobytes()
    return pack_bits(bits_of(rows))


def unpack_bits(packed: bytes) -> Bits:
    """Return a set from the database."""
    if packed[:1] == _LIST:
        return bits_of(_read_rows(packed))
    return int.from_bytes(packed[1:], "little")


def alter_packed(packed: bytes, came: Iterable[int], left: Iterable[int]) -> tuple[bytes, int]:
    """Return a set from the database with some rows more and others less, and how many it has.

    Parameters:
        packed: as `pack_bits` made it, or nothing for the empty set.
        came, left: rows; no row is in both.

    >>> unpack_bits(alter_packed(pack_bits(0b1001), [1], [3])[0]) == 0b0011
    True
    """
    if packed[:1] == _MAP:
        bits = (unpack_bits(packed) & ~bits_of(left)) | bits_of(came)
        return pack_bits(bits), bits.bit_count()
    rows = sorted({*_read_rows(packed), *came}.difference(left))
    return pack_rows(rows), len(rows)


def count_common(packed: bytes, bits: Bits, flags: bytes) -> int:
    """Return how many rows a set from the database has in common with another.

    Parameters:
        packed: as `pack_bits` made it.
        bits: the other set.
        flags: the same as `flags_of` gives it.

    >>> count_common(pack_bits(0b1011), 0b1110, flags_of(0b1110))
    2
    """
    if packed[:1] == _LIST:
        length = len(flags)
        return sum(flags[row] for row in _read_rows(packed) if row < length)
    return (int.from_bytes(packed[1:], "little") & bits).bit_count()


def _read_rows(packed: bytes) -> array[int]:
    return _in_order(array("I", packed[1:]))


def _in_order(rows: array[int]) -> array[int]:
    if sys.byteorder == "big":
        rows.byteswap()
    return rows
