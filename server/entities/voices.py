"""An assertion read aloud: who says, believes or wants what, from the outermost voice inwards, as one sentence.

    Edda Tannhof reports that Borduria fears: Syldavia wants to have the bridge at Tellbrück for itself.

The words follow the coding and add nothing: the act, then what qualifies it (how sure, on what footing), then whether
it is affirmed, denied, left open or lacking. The sentence is made of pieces, each with the name that it stands for, so
that a page can make links of them and a citation plain text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyoxigraph as ox

from kg.languages import Name
from kg.names import RDF, WS, Term, shorten
from kg.terms import ConceptTerm, terms

Statements = Mapping[str, Mapping[str, Sequence[Term]]]
"""Subject to property to values."""

VOICED = tuple(
    WS + name
    for name in (
        "holder", "holderQuantifier", "speaker", "speakerQuantifier", "act", "polarity", "certainty", "basis",
        "reports", "within", "proposition",
    )
)  # fmt: skip
"""Properties of an assertion that the sentence is made of."""

_FOOTING = {
    "basis-presupposed": "taking it for granted",
    "basis-implied": "by implication",
    "basis-apparent": "as it seems",
    "basis-hearsay": "by hearsay",
    "basis-distanced": "at arm's length",
    "certainty-probable": "as probable",
    "certainty-possible": "as possible",
}
_KINDS = {
    "Relation": "relation", "Evaluation": "evaluation", "Interpretation": "interpretation", "Comparison": "comparison",
    "Quantity": "quantity", "Prescription": "prescription", "CausalClaim": "causal", "CausalPathway": "pathway",
    "Argument": "argument",
}  # fmt: skip
_COLLECTIVE = {"quantifier-generic": "in general", "quantifier-unspecified": ""}
_UNDECIDED = WS + "family-noncommittal"
_WILL = WS + "family-will"


@dataclass(frozen=True)
class Piece:
    """A part of a sentence.

    Parameters:
        text: its words; a `Name` where it names something.
        iri: what it names; None where it only joins.
        voice: the assertion that it belongs to, whose holder it may be; None for the content.
    """

    text: str
    iri: str | None = None
    voice: str | None = None


def chain_of(assertion: str, said: Statements) -> list[str]:
    """Return the voices that an assertion stands among, from the outermost inwards, itself included.

    Parameters:
        assertion: its IRI.
        said: what is known of the voices; a voice that nothing is known of ends the chain.

    >>> inner, outer, reports = "ex:inner", "ex:outer", {WS + "reports": [ox.NamedNode("ex:inner")]}
    >>> chain_of("ex:inner", {"ex:outer": reports, "ex:inner": {WS + "within": [ox.NamedNode("ex:outer")]}})
    ['ex:outer', 'ex:inner']
    """
    chain = [assertion]
    while (outer := _first(said, chain[0], "within")) and outer in said and outer not in chain:
        chain.insert(0, outer)
    while (inner := _first(said, chain[-1], "reports")) and inner in said and inner not in chain:
        chain.append(inner)
    return chain


def read_aloud(chain: Sequence[str], said: Statements, names: Mapping[str, str]) -> list[Piece]:
    """Return the sentence that a chain of voices makes.

    Parameters:
        chain: assertions, from the outermost inwards; see `chain_of`.
        said: their statements, at least those of `VOICED`.
        names: what everything is called.

    >>> said = {"ex:a": {WS + "holder": [ox.NamedNode("ex:anna")], WS + "act": [ox.NamedNode(WS + "act-wants")],
    ...                  WS + "polarity": [ox.NamedNode(WS + "polarity-denies")],
    ...                  WS + "proposition": [ox.NamedNode("ex:p")]}}
    >>> as_text(read_aloud(["ex:a"], said, {"ex:anna": "Anna", "ex:p": "The toll ends."}))
    'Anna wants that it be not so: The toll ends.'
    """
    pieces: list[Piece] = []
    for place, voice in enumerate(chain):
        pieces += _voice(voice, said, names, last=place == len(chain) - 1)
    content = _first(said, chain[-1], "proposition")
    return [*pieces, _named(content, names) if content else Piece("…")]


def plural(verb: str) -> str:
    """Return a verb for several who do it, from that for one.

    >>> [plural(verb) for verb in ("sees", "studies", "watches", "agrees to", "is surprised", "promises")]
    ['see', 'study', 'watch', 'agree to', 'are surprised', 'promise']
    """
    word, space, rest = verb.partition(" ")
    if word == "is":
        word = "are"
    elif word.endswith("ies"):
        word = f"{word[:-3]}y"
    elif word.endswith(("ches", "shes", "sses")):
        word = word[:-2]
    else:
        word = word.removesuffix("s")
    return word + space + rest


def as_text(pieces: Sequence[Piece]) -> str:
    """Return a sentence as plain text.

    >>> as_text([Piece("Anna", "ex:anna"), Piece(" sleeps.")])
    'Anna sleeps.'
    """
    return "".join(piece.text for piece in pieces)


def kind_of(classes: Sequence[str], *, report: bool = False) -> str:
    """Return the kind of an assertion or a content, by which pages colour it.

    Parameters:
        classes: IRIs of the classes of the content.
        report: True for an assertion that reports another.

    >>> kind_of([WS + "Proposition", WS + "CausalClaim"]), kind_of([WS + "Proposition"])
    ('causal', 'plain')
    """
    if report:
        return "report"
    return next((kind for name, kind in _KINDS.items() if WS + name in classes), "plain")


def _voice(voice: str, said: Statements, names: Mapping[str, str], *, last: bool) -> list[Piece]:
    holder, speaker = _first(said, voice, "holder"), _first(said, voice, "speaker")
    act, polarity = _first(said, voice, "act") or "", _last_part(_first(said, voice, "polarity"))
    pieces = [_named(holder, names, voice) if holder else Piece("somebody", voice=voice)]
    pieces.append(Piece(_how_many(_first(said, voice, "holderQuantifier"))))
    if speaker:
        quantity = _how_many(_first(said, voice, "speakerQuantifier"))
        pieces += [Piece(", through "), _named(speaker, names, voice), Piece(f"{quantity},")]
    verb = named = names.get(act) or _label(act)
    if holder and ox.NamedNode(WS + "Collective") in said.get(holder, {}).get(RDF + "type", ()):
        verb = plural(verb)
    keys = [_last_part(_first(said, voice, name)) for name in ("basis", "certainty")]
    footing = [_FOOTING[key] for key in keys if key in _FOOTING]
    whether = " whether " if _family(act) == _UNDECIDED or polarity == "polarity-leavesOpen" else " that "
    if polarity == "polarity-leavesOpen":
        verb = f"{'leaves' if verb == named else 'leave'} it open ({verb})"
    if polarity == "polarity-denies":
        verb = verb.removesuffix(" to")
    pieces += [Piece(" "), Piece(verb, act or None, voice)]
    if polarity == "polarity-lacks":
        pieces.append(Piece(" nothing of the kind"))
    # A comma closes what qualifies only where the sentence goes on without a colon.
    pieces.append(Piece("".join(f", {words}" for words in footing)))
    goes_on = "," if footing else ""
    if polarity == "polarity-denies":
        be = "be not so" if _family(act) == _WILL else "is not so"
        pieces.append(Piece(f"{goes_on}{whether}it {be}: " if last else f"{goes_on}{whether}it {be} that "))
    elif last or polarity == "polarity-lacks":
        pieces.append(Piece(": "))
    else:
        pieces.append(Piece(f"{goes_on}{whether}"))
    return [piece for piece in pieces if piece.text]


def _named(iri: str, names: Mapping[str, str], voice: str | None = None) -> Piece:
    return Piece(names.get(iri) or Name(shorten(iri)), iri, voice)


def _how_many(quantifier: str | None) -> str:
    key = _last_part(quantifier)
    words = _COLLECTIVE.get(key, key.removeprefix("quantifier-"))
    return f" ({words})" if words else ""


def _family(act: str) -> str | None:
    term = terms().get(act)
    return term.family if isinstance(term, ConceptTerm) else None


def _label(act: str) -> str:
    return terms()[act].label if act in terms() else shorten(act) or "says"


def _first(said: Statements, subject: str, name: str) -> str | None:
    values = said.get(subject, {}).get(WS + name, ())
    return min((v.value for v in values if isinstance(v, ox.NamedNode)), default=None)


def _last_part(iri: str | None) -> str:
    return (iri or "").removeprefix(WS)
