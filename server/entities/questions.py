"""Which questions the page of a thing asks, beside its facts and its assertions: one for each table.

A question is asked only where something points to the thing by one of the properties that it needs, which is known
beforehand; `server.entities.sections` asks it. In the patterns ``$node`` stands for the thing. Every pattern begins at
the thing and stays with what it meets, so that it takes milliseconds in a store of a million statements.
"""

from __future__ import annotations

from dataclasses import dataclass

from kg.names import SKOS


@dataclass(frozen=True, kw_only=True)
class Section:
    """A table of a page.

    Parameters:
        name: of its anchor.
        heading: what its rows have in common.
        needs: properties, by local name or IRI, by one of which something must point to the thing.
        where: the pattern, with ``$node`` for the thing.
        columns: variables to show; an underscore stands for a space.
        order: variables to sort by.
        per: variable of what a row tells of, where `gathered` columns can have several values in it.
        first: a pattern that finds these, with ``?sorted`` to sort by, so that `where` is asked of the first alone.
        gathered: those columns.
        last: True to stand after the assertions.
    """

    name: str
    heading: str
    needs: tuple[str, ...]
    where: str
    columns: tuple[str, ...]
    order: str = ""
    per: str = ""
    first: str = ""
    gathered: tuple[str, ...] = ()
    last: bool = False


def _held(content: str, *ways: str) -> str:
    """Return a pattern for contents that are found in one of several ways, with those who take a stance to them.

    Not by OPTIONAL, nor by a UNION of the ways: the engine then evaluates all stances that there are in the store.
    """
    stance = f"?assertion ws:proposition ?{content} ; ws:holder ?holder ; ws:polarity ?polarity ; ws:standing ?standing"
    nobody = f"FILTER NOT EXISTS {{ ?any ws:proposition ?{content} }}"
    return "\nUNION ".join(f"{{ {way} {more} }}" for way in ways for more in (stance, nobody))


SECTIONS: tuple[Section, ...] = (
    Section(
        name="sees",
        heading="How it sees others",
        needs=("holder",),
        where="""
            ?assertion ws:holder $node ; ws:perceives ?whom ; ws:standing ?standing ;
              ws:polarity ?polarity ; ws:proposition ?words
            OPTIONAL { ?assertion ws:image ?as }
            OPTIONAL { ?words ws:valence ?well_or_ill }
        """,
        columns=("whom", "as", "well_or_ill", "polarity", "standing", "words", "assertion"),
    ),
    Section(
        name="seen",
        heading="How others see it",
        needs=("perceives",),
        where="""
            ?assertion ws:perceives $node ; ws:holder ?holder ; ws:standing ?standing ;
              ws:polarity ?polarity ; ws:proposition ?words
            OPTIONAL { ?assertion ws:image ?as }
            OPTIONAL { ?words ws:valence ?well_or_ill }
        """,
        columns=("holder", "as", "well_or_ill", "polarity", "standing", "words", "assertion"),
    ),
    Section(
        name="agreements",
        heading="Agreements and measures, and how far they got",
        needs=("party",),
        per="step",
        first="?step ws:party $node OPTIONAL { ?step ws:earliest ?sorted }",
        where="""
            ?step ws:stepOf ?agreement ; ws:stage ?stage
            OPTIONAL { ?step ws:date ?date }
            OPTIONAL { ?step ws:party ?party FILTER(?party != $node) }
            OPTIONAL { ?step ws:attestedBy ?assertion }
        """,
        columns=("agreement", "stage", "date", "party", "assertion"),
        gathered=("party", "assertion"),
    ),
    Section(
        name="steps",
        heading="Steps over time",
        needs=("stepOf",),
        per="step",
        first="?step ws:stepOf $node OPTIONAL { ?step ws:earliest ?sorted }",
        where="""
            ?step ws:stage ?stage
            OPTIONAL { ?step ws:date ?date }
            OPTIONAL { ?step ws:party ?party }
            OPTIONAL { ?step ws:attestedBy ?assertion }
        """,
        columns=("stage", "date", "party", "assertion"),
        gathered=("party", "assertion"),
    ),
    Section(
        name="parts",
        heading="What belongs to it",
        needs=("belongsTo", "partOf"),
        where="""
            VALUES ?how { ws:belongsTo ws:partOf }
            GRAPH ?graph { ?part ?how $node } FILTER(?graph != graph:inferred)
            OPTIONAL { ?part a ?kind FILTER(?kind IN (ws:Person, ws:State, ws:Organization, ws:Collective, ws:Place)) }
        """,
        columns=("part", "kind"),
        order="?kind ?part",
        last=True,
    ),
    Section(
        name="memberships",
        heading="Groups that it is a member of",
        needs=("hasMember",),
        where="""
            ?group ws:hasMember $node
        """,
        columns=("group",),
        last=True,
    ),
    Section(
        name="measures",
        heading="Measures that it adopted",
        needs=("adoptedBy",),
        where="""
            ?measure ws:adoptedBy $node
        """,
        columns=("measure",),
        last=True,
    ),
    Section(
        name="events",
        heading="Events that it took part in",
        needs=("actor",),
        per="event",
        first="?event ws:actor $node OPTIONAL { ?event ws:earliest ?sorted }",
        where="""
            OPTIONAL { ?event ws:date ?date }
            OPTIONAL { ?event ws:place ?place }
            OPTIONAL { ?event ws:realized ?came_about }
            OPTIONAL { ?event ws:attestedBy ?assertion }
        """,
        columns=("event", "date", "place", "came_about", "assertion"),
        gathered=("assertion",),
    ),
    Section(
        name="happened",
        heading="Events that happened there",
        needs=("place",),
        per="event",
        first="?event ws:place $node OPTIONAL { ?event ws:earliest ?sorted }",
        where="""
            OPTIONAL { ?event ws:date ?date }
            OPTIONAL { ?event ws:realized ?came_about }
        """,
        columns=("event", "date", "came_about"),
        last=True,
    ),
    Section(
        name="voiced",
        heading="What was said on the occasion",
        needs=("saidAt",),
        per="assertion",
        first="?assertion ws:saidAt $node OPTIONAL { ?assertion ws:earliest ?sorted }",
        where="""
            ?assertion ws:holder ?holder ; ws:act ?act ; ws:polarity ?polarity
            OPTIONAL { ?assertion ws:proposition ?words }
            OPTIONAL { ?assertion ws:saidOn ?date }
        """,
        columns=("holder", "act", "polarity", "words", "date", "assertion"),
    ),
    Section(
        name="documents",
        heading="Documents that it wrote or brought out",
        needs=("creator", "publisher"),
        per="document",
        first="?document ws:creator|ws:publisher $node OPTIONAL { ?document ws:earliest ?sorted }",
        where="""
            VALUES ?role { ws:creator ws:publisher } ?document ?role $node
            OPTIONAL { ?document ws:kind ?kind }
            OPTIONAL { ?document ws:issued ?issued }
        """,
        columns=("document", "kind", "issued", "role"),
        gathered=("role",),
        last=True,
    ),
    Section(
        name="theories",
        heading="Theories that it put forward",
        needs=("proposedBy",),
        where="""
            ?theory ws:proposedBy $node
        """,
        columns=("theory",),
        last=True,
    ),
    Section(
        name="narrower",
        heading="Narrower issues",
        needs=(SKOS + "broader",),
        where="""
            ?issue skos:broader $node
        """,
        columns=("issue",),
        order="?issue",
    ),
    Section(
        name="printed",
        heading="As what it is printed",
        needs=("names",),
        where="""
            ?use ws:names $node ; ws:printedAs ?printed_as ; ws:inPassage ?passage
        """,
        columns=("printed_as", "passage"),
        last=True,
    ),
    Section(
        name="named",
        heading="Names that are printed in it",
        needs=("inPassage",),
        where="""
            ?use ws:inPassage $node ; ws:printedAs ?printed_as ; ws:names ?names
        """,
        columns=("printed_as", "names"),
        last=True,
    ),
    Section(
        name="cites",
        heading="What it cites",
        needs=("citingDocument",),
        where="""
            ?citation ws:citingDocument $node ; ws:citedDocument ?document
            OPTIONAL { ?citation ws:noteNumber ?note }
            OPTIONAL { ?citation ws:pages ?pages }
        """,
        columns=("note", "document", "pages", "citation"),
        order="?note",
        last=True,
    ),
    Section(
        name="cited",
        heading="What cites it",
        needs=("citedDocument",),
        where="""
            ?citation ws:citedDocument $node ; ws:citingDocument ?document
            OPTIONAL { ?citation ws:noteNumber ?note }
            OPTIONAL { ?citation ws:pages ?pages }
        """,
        columns=("document", "note", "pages", "citation"),
        order="?document ?note",
        last=True,
    ),
    Section(
        name="support",
        heading="Notes that it rests on",
        needs=("supports",),
        where="""
            ?citation ws:supports $node ; ws:citedDocument ?document
            OPTIONAL { ?citation ws:noteNumber ?note }
            OPTIONAL { ?citation ws:pages ?pages }
        """,
        columns=("document", "note", "pages", "citation"),
        order="?note",
    ),
    Section(
        name="readings",
        heading="Assertions that may be read so",
        needs=("proposition",),
        where="""
            ?reading ws:proposition $node . ?assertion ws:otherReading ?reading .
            ?assertion ws:holder ?holder . ?reading ws:polarity ?polarity
            OPTIONAL { ?reading ws:note ?note }
        """,
        columns=("holder", "polarity", "note", "assertion"),
    ),
    Section(
        name="links",
        heading="How it stands to other contents",
        needs=("from", "to"),
        where="""
            { ?link ws:from $node ; ws:to ?content }
            UNION { ?link ws:to $node ; ws:from ?content } ?link ws:linkKind ?how ; ws:reason ?reason ;
              ws:drawnBy ?drawn_by
        """,
        columns=("how", "content", "reason", "drawn_by"),
        order="?how",
    ),
    Section(
        name="attacks",
        heading="Attacks on it",
        needs=("attacked",),
        where="""
            ?attack ws:attacked $node ; ws:attacker ?attacker ; ws:attackKind ?how
            OPTIONAL { ?attack ws:reason ?reason }
            OPTIONAL { ?attack ws:drawnBy ?drawn_by }
        """,
        columns=("attacker", "how", "reason", "drawn_by"),
    ),
    Section(
        name="attacking",
        heading="What it attacks",
        needs=("attacker",),
        where="""
            ?attack ws:attacker $node ; ws:attacked ?attacked ; ws:attackKind ?how
            OPTIONAL { ?attack ws:reason ?reason }
            OPTIONAL { ?attack ws:drawnBy ?drawn_by }
        """,
        columns=("attacked", "how", "reason", "drawn_by"),
    ),
    Section(
        name="reasons",
        heading="Reasons given for it",
        needs=("conclusion",),
        where="""
            ?argument ws:conclusion $node ; ws:premise ?premise
            OPTIONAL { ?argument ws:advancedBy ?advanced_by }
        """,
        columns=("premise", "argument", "advanced_by"),
        order="?argument",
        per="argument",
        gathered=("premise", "advanced_by"),
    ),
    Section(
        name="conclusions",
        heading="What is concluded from it",
        needs=("premise",),
        where="""
            ?argument ws:premise $node ; ws:conclusion ?conclusion
            OPTIONAL { ?argument ws:advancedBy ?advanced_by }
        """,
        columns=("conclusion", "argument", "advanced_by"),
        order="?argument",
        per="argument",
        gathered=("advanced_by",),
    ),
    Section(
        name="causes",
        heading="What brings it about or keeps it down",
        needs=("effect",),
        where=_held("claim", "?claim ws:effect $node ; ws:cause ?cause ; ws:sign ?sign ; ws:causeStatus ?as ."),
        columns=("cause", "sign", "as", "claim", "holder", "polarity", "assertion"),
        order="?cause",
    ),
    Section(
        name="effects",
        heading="What it brings about or keeps down",
        needs=("cause",),
        where=_held("claim", "?claim ws:cause $node ; ws:effect ?effect ; ws:sign ?sign ; ws:causeStatus ?as ."),
        columns=("effect", "sign", "as", "claim", "holder", "polarity", "assertion"),
        order="?effect",
    ),
    Section(
        name="pathways",
        heading="Pathways that it is part of",
        needs=("claim", "startsFrom", "endsIn"),
        where=_held(
            "pathway",
            "?step ws:claim $node . ?pathway ws:hasStep ?step .",
            "?pathway ws:startsFrom $node .",
            "?pathway ws:endsIn $node .",
        ),
        columns=("pathway", "holder", "polarity", "assertion"),
    ),
    Section(
        name="factors",
        heading="Factors that stand for it",
        needs=("denotes",),
        where="""
            ?factor ws:denotes $node
        """,
        columns=("factor",),
        last=True,
    ),
    Section(
        name="taken",
        heading="What it is taken to express",
        needs=("interprets",),
        where=_held("interpretation", "?interpretation ws:interprets $node ; ws:asExpressing ?as ."),
        columns=("holder", "polarity", "interpretation", "as", "assertion"),
    ),
    Section(
        name="expressed",
        heading="What is taken to express it",
        needs=("asExpressing",),
        where=_held("interpretation", "?interpretation ws:asExpressing $node ; ws:interprets ?what ."),
        columns=("holder", "polarity", "what", "interpretation", "assertion"),
    ),
    Section(
        name="attested",
        heading="What it attests",
        needs=("attestedBy",),
        where="""
            ?entry ws:attestedBy $node
            OPTIONAL { ?entry a ?kind FILTER(?kind IN (ws:OfficeHolding, ws:Step, ws:Event, ws:Theory)) }
        """,
        columns=("entry", "kind"),
        order="?kind",
        last=True,
    ),
)
"""The tables, in the order in which a page has them."""
