"""What a node or a tie rests on: its assertions by content, each with the words of its passages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from kg.names import WS
from server.picturing.material import Found, Material

MOST = 100
"""Assertions that are shown of a node or tie."""

EVIDENCE = """SELECT ?assertion ?holder ?speaker ?act ?polarity ?certainty ?standing ?content ?document ?passage ?start
       (ws:quote(?passage) AS ?quote) ?teller
WHERE {
  VALUES ?assertion { NODES }
  ?assertion ws:holder ?holder ; ws:act ?act ; ws:polarity ?polarity ; ws:certainty ?certainty ; ws:statedIn ?document .
  OPTIONAL { ?assertion ws:speaker ?speaker }
  OPTIONAL { ?assertion ws:standing ?standing }
  OPTIONAL { ?assertion ws:reports*/ws:proposition ?content }
  OPTIONAL { ?assertion ws:evidencedBy ?passage . ?passage ws:start ?start }
  OPTIONAL {
    ?assertion ws:within+ ?outermost . ?outermost ws:holder ?teller
    FILTER NOT EXISTS { ?outermost ws:within ?more }
  }
}
ORDER BY ?document ?start ?assertion"""


@dataclass
class Said:
    """An assertion as it is shown.

    Parameters:
        assertion, holder, speaker, act, polarity, certainty, standing, document, teller: IRIs; the speaker, the
            standing and who tells of it are empty where there are none.
        passages: IRI to words, empty where the text is not at hand.
    """

    assertion: str
    holder: str
    speaker: str
    act: str
    polarity: str
    certainty: str
    standing: str
    document: str
    teller: str
    passages: dict[str, str] = field(default_factory=dict)

    def mentioned(self) -> Iterator[str]:
        """Give the IRIs that need a label."""
        yield from (iri for iri in (self.holder, self.speaker, self.document, self.teller, self.act) if iri)
        yield from (self.polarity, self.certainty, *([self.standing] if self.standing else []))

    @property
    def denied(self) -> bool:
        """Whether it is anything else than affirmed."""
        return self.polarity != WS + "polarity-affirms"

    @property
    def hedged(self) -> bool:
        """Whether it has a hedge of its own."""
        return self.certainty != WS + "certainty-unhedged"


def find_evidence(material: Material, assertions: Sequence[str]) -> Mapping[str, list[Said]]:
    """Return assertions by content, in the order in which they were given.

    Parameters:
        material: answers the query.
        assertions: the first `MOST` of them are looked up.
    """
    wanted = list(assertions[:MOST])
    found: dict[str, Said] = {}
    contents: dict[str, str] = {}
    for row in material.ask(EVIDENCE, wanted):
        iri = row["assertion"]
        told = found.setdefault(iri, _said(row))
        contents.setdefault(iri, row.get("content", ""))
        if "passage" in row:
            told.passages[row["passage"]] = row.get("quote", "")
    grouped: dict[str, list[Said]] = {}
    for iri in wanted:
        if iri in found:
            grouped.setdefault(contents[iri], []).append(found[iri])
    return grouped


def names_needed(evidence: Mapping[str, Sequence[Said]]) -> set[str]:
    """Return the IRIs that need a label where evidence is shown."""
    return {iri for content, group in evidence.items() for said in group for iri in (content, *said.mentioned()) if iri}


def _said(row: Found) -> Said:
    return Said(
        row["assertion"], row["holder"], row.get("speaker", ""), row["act"], row["polarity"], row["certainty"],
        row.get("standing", ""), row["document"], row.get("teller", ""),
    )  # fmt: skip
