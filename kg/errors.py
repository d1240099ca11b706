"""Everything that can go wrong, as one tree.

    WhosaysError
    ├── RecordError          a record (YAML) that cannot be read as one
    ├── TextError            a text that is missing, changed or shorter than a passage claims
    ├── MalformedError        RDF or SPARQL that does not parse
    ├── ConformanceError     content that breaks the shapes; carries the report
    ├── ConflictError        the store changed where the records changed too
    │   └── StaleError       a plan that was made on an older state of the graph
    ├── NotFoundError        a name (document, query, store, term) that nothing has
    ├── ParameterError       a saved query called with a wrong parameter
    ├── RefusedError         a query that is not answered here, such as one with SERVICE
    ├── OverrunError         work that was stopped: too slow, too big, or its process died
    ├── BusyError            work that was not begun, because too much of it waits already
    └── SettingError         a setting that makes no sense

Every message names the thing, the place and the mend.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kg.validation import Report


ENOUGH = 100
"""Problems of one content after which no more are looked for: who mends it sees the same mistakes again."""

NOT_ALL = f"this is not all: after {ENOUGH} problems no more were looked for"


@dataclass(frozen=True)
class Place:
    """Where in a file something stands.

    Parameters:
        file: path as the user gave it.
        line: counted from 1; None where the whole file is meant.

    >>> str(Place("records/register.yaml", 12))
    'records/register.yaml:12'
    """

    file: str
    line: int | None = None

    def __str__(self) -> str:
        return self.file if self.line is None else f"{self.file}:{self.line}"


class WhosaysError(Exception):
    """Base of all errors that Whosays raises on purpose.

    Parameters:
        problem: what is wrong, naming the thing.
        mend: what to do about it.
        place: where it stands, if anywhere.
    """

    def __init__(self, problem: str, *, mend: str = "", place: Place | None = None) -> None:
        self.problem = problem
        self.mend = mend
        self.place = place
        text = f"{place}: {problem}" if place else problem
        super().__init__(f"{text}\n  mend: {mend}" if mend else text)

    def __reduce__(self) -> tuple[object, ...]:
        # Exceptions are rebuilt from their message alone unless told otherwise; these cross process borders.
        return _rebuild, (type(self), self.args, self.__dict__)


def _rebuild(kind: type[WhosaysError], arguments: tuple[object, ...], state: dict[str, object]) -> WhosaysError:
    error = kind.__new__(kind, *arguments)
    error.__dict__.update(state)
    return error


class RecordError(WhosaysError):
    """A record that cannot be read as one: broken YAML, an unknown key, a node without an id."""


class TextError(WhosaysError):
    """A text that is missing, changed, or shorter than a passage claims."""


class MalformedError(WhosaysError):
    """RDF or SPARQL that does not parse."""


class ConformanceError(WhosaysError):
    """Content that breaks the shapes.

    Parameters:
        problem: one line that sums it up.
        report: the validation report.
    """

    def __init__(self, problem: str, report: Report, *, mend: str = "") -> None:
        self.report = report
        super().__init__(problem, mend=mend)


class ConflictError(WhosaysError):
    """The store holds something else than what was last published from a record."""


class StaleError(ConflictError):
    """A plan that was made on an older state of the graph: it is made anew, never committed over the newer one."""


class NotFoundError(WhosaysError):
    """A name that nothing has."""


class ParameterError(WhosaysError):
    """A saved query called with a wrong parameter."""


class RefusedError(WhosaysError):
    """A query that is well formed and not answered here."""


class OverrunError(WhosaysError):
    """Work that was stopped: it took too long or too much memory, or the process that did it died."""


class BusyError(WhosaysError):
    """Work that was not begun, because too much of it waits already."""


class SettingError(WhosaysError):
    """A setting that makes no sense."""
