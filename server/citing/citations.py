"""Citations: a document, or an assertion that was found in one, as text, BibTeX, CSL-JSON and RIS.

Only the writing is done here, of a `Cited`, which `server.citing.citing` makes from the graph. Texts stay in Unicode,
which BibTeX's programs read today; what has a meaning of its own in TeX is escaped, and titles are kept from being
recased. RIS has one field a line, so no value has a line break. The tests read all of it back with parsers of others.

Sources: BibTeXing (Patashnik 1988) and the biblatex manual, whose ``date`` takes EDTF; CSL 1.0.2, appendix III and IV;
RIS Format Specifications (Research Information Systems, 2011).
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from server.citing.author_names import Author
from server.entities.date_words import date_in_words

_DATE = re.compile(r"(?P<year>[0-9]{4})(-(?P<month>0[1-9]|1[0-2])(-(?P<day>[0-9]{2}))?)?(?P<doubt>[?~%]?)\Z")
_SPACE = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")
_DAYS = re.compile(r"\[\n[\s\d,\[\]]+\]")  # no text of JSON has a line break, so these are numbers only
_KEY = re.compile(r"[^A-Za-z0-9.:-]+")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

# Not \{ and \}: BibTeX counts braces without looking at what stands before them.
_TEX = str.maketrans(
    {
        "\\": r"\textbackslash{}", "{": r"\textbraceleft{}", "}": r"\textbraceright{}", "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Form:
    """How the three formats call a kind of document.

    Parameters:
        csl: type of CSL.
        bibtex: type of BibTeX's entry.
        ris: type of RIS.
        container: BibTeX's field for what it is part of.
        genre: what it is, in words, where the types do not say.
        in_publisher: True where the publisher is what it appeared in, as with newspapers.
    """

    csl: str
    bibtex: str
    ris: str
    container: str = "series"
    genre: str = ""
    in_publisher: bool = False


FORMS = {
    "documentKind-opEd": Form("article-newspaper", "article", "NEWS", "journal", "op-ed", in_publisher=True),
    "documentKind-newsArticle": Form("article-newspaper", "article", "NEWS", "journal", in_publisher=True),
    "documentKind-essay": Form("article-magazine", "article", "MGZN", "journal", "essay", in_publisher=True),
    "documentKind-journalArticle": Form("article-journal", "article", "JOUR", "journal"),
    "documentKind-policyPaper": Form("report", "techreport", "RPRT", "series", "policy paper"),
    "documentKind-report": Form("report", "techreport", "RPRT", "series", "report"),
    "documentKind-monograph": Form("book", "book", "BOOK"),
    "documentKind-bookChapter": Form("chapter", "incollection", "CHAP", "booktitle"),
    "documentKind-conferencePaper": Form("paper-conference", "inproceedings", "CPAPER", "booktitle"),
    "documentKind-cable": Form("document", "misc", "GEN", "howpublished", "diplomatic cable"),
    "documentKind-jointStatement": Form("document", "misc", "GEN", "howpublished", "joint statement"),
    "documentKind-webPage": Form("webpage", "misc", "ELEC", "howpublished"),
}
"""By local name of the kind of a document."""

OTHER = Form("document", "misc", "GEN", "howpublished")
ENTRY = Form("dataset", "misc", "DATA", "howpublished", "assertion")


@dataclass(frozen=True)
class Cited:
    """What is cited.

    Parameters:
        key: by which BibTeX and CSL know it.
        form: its kind.
        title: what it is called, or says.
        authors: who wrote it; none of what is unsigned.
        publisher: who brought it out; empty where that is not known.
        container: what it is part of; empty where it stands alone.
        issued: when it came out, EDTF; empty where that is not known.
        address: where it can be found.
        accessed: the day on which it was, ISO 8601.
        language: tag of its language; empty where that is not known.
        version: of the dataset that it is in; empty for documents.
        notes: what else must be said, a sentence each.
    """

    key: str
    form: Form
    title: str
    authors: Sequence[Author]
    publisher: str
    container: str
    issued: str
    address: str
    accessed: str
    language: str
    version: str = ""
    notes: Sequence[str] = ()


def as_text(cited: Cited) -> str:
    """Return a citation in words.

    >>> toll = Cited("toll", FORMS["documentKind-opEd"], "Why?", [Author("Anna")], "", "The Courier", "1998-11-14",
    ...              "https://example.org/toll", "2026-11-22", "en")
    >>> as_text(toll)
    'Anna. “Why?” The Courier, 14 November 1998. https://example.org/toll (accessed 22 November 2026).'
    """
    names = [_flat(author.name) for author in cited.authors]
    who = " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
    genre = cited.form.genre if cited.form.csl in ("report", "document", "dataset") else ""
    container = cited.container if cited.container not in ("", cited.publisher) else ""
    published = [container, cited.publisher, cited.version, date_in_words(cited.issued) if cited.issued else ""]
    parts = [
        who,
        f"“{_flat(cited.title)}”" if _ends(cited.title) else f"“{_flat(cited.title)}.”",
        genre[:1].upper() + genre[1:],
        ", ".join(_flat(part) for part in published if part),
        *map(_flat, cited.notes),
    ]
    said = " ".join(part if _ends(part) else f"{part}." for part in parts if part)
    return f"{said} {cited.address} (accessed {date_in_words(cited.accessed)})."


def as_bibtex(cited: Cited) -> str:
    """Return a citation as an entry of BibTeX; biblatex too reads it.

    >>> print(as_bibtex(Cited("toll", FORMS["documentKind-opEd"], "50% & more", [Author("Anna")], "", "", "1998-11",
    ...                       "https://example.org/a_b", "2026-11-22", "")), end="")
    @article{toll,
      author = {{Anna}},
      title = {{50\\% \\& more}},
      date = {1998-11},
      year = {1998},
      month = nov,
      url = {https://example.org/a_b},
      urldate = {2026-11-22},
      keywords = {op-ed},
    }
    """
    date = _DATE.match(cited.issued)
    form = cited.form
    publisher = "institution" if form.bibtex == "techreport" else "publisher"
    genre = "type" if form.bibtex == "techreport" else "keywords"
    # The address is verbatim in biblatex, so it is made harmless and not escaped.
    fields = [
        ("author", " and ".join(_bibtex_name(author) for author in cited.authors)),
        ("title", f"{{{_tex(cited.title)}}}"),
        (form.container, _tex(cited.container)),
        (publisher, _tex(cited.publisher) if cited.publisher != cited.container else ""),
        ("date", cited.issued if re.fullmatch(r"[0-9X/.~?%-]+", cited.issued) else ""),
        ("year", date["year"] if date else ""),
        ("version", _tex(cited.version)),
        ("url", _address(cited.address)),
        ("urldate", cited.accessed),
        ("language", _tex(cited.language)),
        (genre, _tex(form.genre)),
        ("note", _tex("; ".join(cited.notes))),
    ]
    lines = [f"  {name} = {{{value}}}," for name, value in fields if value]
    if date and date["month"]:
        place = next(i for i, line in enumerate(lines) if line.startswith("  year"))
        lines.insert(place + 1, f"  month = {_MONTHS[int(date['month']) - 1]},")
    return "\n".join([f"@{form.bibtex}{{{key_of(cited.key)},", *lines, "}"]) + "\n"


def as_csl(cited: Cited) -> str:
    """Return a citation as CSL-JSON: a list of one item.

    >>> json.loads(as_csl(Cited("a", OTHER, "A", [], "", "", "1998~", "https://example.org/", "2026-11-22", "")))
    ... # doctest: +NORMALIZE_WHITESPACE
    [{'id': 'a', 'type': 'document', 'title': 'A', 'issued': {'date-parts': [[1998]], 'circa': True},
      'URL': 'https://example.org/', 'accessed': {'date-parts': [[2026, 11, 22]]}}]
    """
    item = {
        "id": key_of(cited.key),
        "type": cited.form.csl,
        "title": _flat(cited.title),
        "author": [_csl_name(author) for author in cited.authors],
        "container-title": _flat(cited.container),
        "publisher": _flat(cited.publisher) if cited.publisher != cited.container else "",
        "issued": _csl_date(cited.issued),
        "URL": _address(cited.address),
        "accessed": _csl_date(cited.accessed),
        "language": cited.language,
        "genre": cited.form.genre,
        "version": cited.version,
        "note": _flat("; ".join(cited.notes)),
    }
    text = json.dumps([{name: value for name, value in item.items() if value}], ensure_ascii=False, indent=2)
    return _DAYS.sub(lambda found: "".join(found[0].split()).replace(",", ", "), text) + "\n"


def as_ris(cited: Cited) -> str:
    """Return a citation as RIS.

    >>> print(as_ris(Cited("a", OTHER, "A", [Author("Anna")], "", "", "1998-11-14", "https://example.org/",
    ...                    "2026-11-22", "")).replace("\\r", "").rstrip())
    TY  - GEN
    ID  - a
    AU  - Anna
    TI  - A
    PY  - 1998
    DA  - 1998/11/14/
    UR  - https://example.org/
    Y2  - 2026/11/22/
    ER  -
    """
    date, accessed = _DATE.match(cited.issued), cited.accessed.replace("-", "/")
    fields = [
        ("TY", cited.form.ris),
        ("ID", key_of(cited.key)),
        *(("AU", author.inverted) for author in cited.authors),
        ("TI", cited.title),
        ("T2", cited.container),
        ("PB", cited.publisher if cited.publisher != cited.container else ""),
        ("PY", date["year"] if date else ""),
        ("DA", f"{date['year']}/{date['month'] or ''}/{date['day'] or ''}/" if date else ""),
        ("ET", cited.version),
        ("LA", cited.language),
        ("M3", cited.form.genre),
        ("UR", _address(cited.address)),
        ("Y2", f"{accessed}/"),
        *(("N1", note) for note in cited.notes),
    ]
    lines = [f"{tag}  - {_flat(value)}" for tag, value in fields if value]
    return "\r\n".join([*lines, "ER  - ", ""])


def key_of(name: str) -> str:
    """Return a key that every format takes, from a name.

    >>> key_of("bridge-toll/s22c"), key_of("윤")
    ('bridge-toll-s22c', 'cited')
    """
    return _KEY.sub("-", name).strip("-.:") or "cited"


def _bibtex_name(author: Author) -> str:
    if author.family is None or author.given is None:
        return f"{{{_tex(author.name)}}}"
    family = _tex(author.family)
    # A family name of several words is one in braces, else the small words in it would count as particles.
    first = f"{author.particle} {{{family}}}" if author.particle else f"{{{family}}}" if " " in family else family
    return ", ".join(_tex(p) if p is not first else p for p in (first, author.suffix, author.given) if p)


def _csl_name(author: Author) -> dict[str, str]:
    if author.family is None or author.given is None:
        return {"literal": _flat(author.name)}
    told = {
        "family": author.family,
        "given": author.given,
        "non-dropping-particle": author.particle,
        "suffix": author.suffix,
    }
    return {name: _flat(value) for name, value in told.items() if value}


def _csl_date(text: str) -> dict[str, object]:
    """Return a date of CSL; what its parts cannot say is said in words."""
    ends = [_DATE.match(side) for side in text.split("/")]
    if not text:
        return {}
    if not all(ends):
        return {"literal": date_in_words(text)}
    parts = [[int(part) for part in (e["year"], e["month"], e["day"]) if part] for e in ends if e]
    told: dict[str, object] = {"date-parts": parts}
    return told | ({"circa": True} if any(e["doubt"] for e in ends if e) else {})


def _tex(text: str) -> str:
    return _flat(text).translate(_TEX)


def _flat(text: str) -> str:
    """Return a text in one line, without control characters."""
    return _SPACE.sub(" ", text).strip()


def _address(text: str) -> str:
    """Return an address in which nothing ends a field."""
    return re.sub(r"[\s{}\\\x00-\x1f]", lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), text)


def _ends(text: str) -> bool:
    return text.rstrip("”’\"' ")[-1:] in (".", "?", "!", "…", "。", "？", "！")
