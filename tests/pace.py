"""Time in tests: bounds that hold on a slow machine too, and waiting for what should come.

A bound is set for a machine that does nothing else. Where it is passed, a piece of work of known length is measured at
once, and the bound is stretched by as much as that took longer: a slow machine is no fault of what is tested.
"""

from __future__ import annotations

import time
from collections.abc import Callable

LENGTH = 0.25
"""Seconds that `_work` takes on the machine on which the bounds were set, when it does nothing else."""

PATIENCE = 60.0
"""Seconds for which something that should come is waited for: nobody's claim, only the end of a test that fails."""


def within(
    took: float,
    seconds: float,
    *,
    work: Callable[[], object] | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> bool:
    """Tell whether something took no longer than it may.

    Parameters:
        took: seconds that were measured.
        seconds: that it may take on a machine that does nothing else.
        work: what takes `LENGTH` seconds there.
        clock: by which that is measured.

    Examples:
        >>> within(0.9, 1.0), within(60, 1.0, work=lambda: None)
        (True, False)
        >>> moments = iter([0.0, 3 * LENGTH])  # a machine that takes three times as long
        >>> within(2.9, 1.0, work=lambda: None, clock=lambda: next(moments))
        True
    """
    if took <= seconds:
        return True
    begun = clock()
    (work or _work)()
    return took <= seconds * max(1.0, (clock() - begun) / LENGTH)


def wait_for(done: Callable[[], object], *, step: float = 0.05, patience: float = PATIENCE) -> float:
    """Wait until something holds.

    Parameters:
        done: tells whether it does; what it raises counts as no, save an `AssertionError`, which goes on.
        step: seconds between two looks.
        patience: seconds after which it is given up.

    Returns:
        The seconds that were waited.

    Raises:
        AssertionError: it did not come, or can no longer come.
    """
    begun = time.monotonic()
    last: Exception | None = None
    while (waited := time.monotonic() - begun) < patience:
        try:
            if done():
                return waited
        except AssertionError:
            raise
        except Exception as error:
            last = error
        time.sleep(step)
    raise AssertionError(f"it did not come within {patience:g} seconds") from last


def _work() -> int:
    return sum(number * number % 7 for number in range(2_500_000))
