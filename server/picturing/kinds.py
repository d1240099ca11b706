"""The pictures there are: what each is called, what can be chosen, how it is made and how it is put as a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from server.picturing import arguments, causes, matrix, network, perceptions, tables, timeline
from server.picturing.material import Material
from server.picturing.options import Option
from server.picturing.picture import Picture


@dataclass(frozen=True)
class Kind:
    """A kind of picture.

    Parameters:
        name: in the address.
        title: what it is called.
        told: what it shows, in a sentence.
        read: how it is read, in a few sentences: also the description for those who do not see it.
        options: what can be chosen beside the filters.
        draw: makes it.
        table: puts it as a table.
        advice: what to change where there is nothing to draw.
        parts: what its nodes are called, one and many.
        directed: whether its ties lead from one node to the other.
        query: SPARQL for what joins its contents, where there is such; ``NODES`` in it are the contents.
    """

    name: str
    title: str
    told: str
    read: str
    options: tuple[Option, ...]
    draw: Callable[[Material], Picture]
    table: Callable[[Picture, tables.Name], tables.Table]
    advice: str
    parts: tuple[str, str] = ("node", "nodes")
    directed: bool = True
    query: str = ""


KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "network", "Discourse network",
            "Who takes the same side as whom, and who the opposite one; or which actors stand on which side of what.",
            "Circles are actors, the larger the more contents they take sides on, in the colour of their state. A line "
            "ties two who share positions, a dashed line with a cross two who oppose each other; the thicker, the "
            "stronger. Where contents are shown, as boxes, lines lead to them from those who affirm them, dashed ones "
            "from those who deny them.",
            network.OPTIONS, network.draw, tables.network_table,
            "Two actors are tied only where both take a side on the same content. Choose fewer filters, a lower "
            "weight, hedged stances too, or show actors without ties.",
            directed=False,
        ),
        Kind(
            "matrix", "Stance matrix",
            "Where every holder stands on what several of them speak of: affirmed, denied, left open.",
            "Each row is a content, each column a holder. A disc affirms, a cross denies, a ring leaves open, a dash "
            "says that the stance is lacking; small signs in a dotted ring are hedged. Truth, will and each feeling "
            "have rows of their own, since who wants a thing and who denies it do not disagree.",
            matrix.OPTIONS, matrix.draw, tables.matrix_table,
            "By itself a content is shown where two holders or more speak of it. Let one suffice, or choose fewer "
            "filters.",
            ("row or column", "rows and columns"), directed=False,
        ),
        Kind(
            "causes", "Causal map",
            "What raises or lowers what, according to whom, with the pathways from cause to end.",
            "Boxes are factors; those that stand for cooperation or friction are marked. An arrow leads from the cause "
            "to the effect, with + where it raises and − where it lowers it; letters and colours say who holds it. "
            "Dashed arrows are denied, hedged, left open, or only wanted or feared; thick ones are steps of a stated "
            "pathway.",
            causes.OPTIONS, causes.draw, tables.causes_table,
            "No causal claim fits what is chosen. Choose fewer filters, or all claims and not only pathways.",
            ("factor", "factors"), query=causes.CLAIMS,
        ),
        Kind(
            "arguments", "Argument map",
            "From which premises to which conclusions, by whom, what attacks and what contradicts what.",
            "Boxes are contents, small round ones the arguments that lead from premises to a conclusion, in the colour "
            "of those who advance them. A dashed line with a cross is an attack: it rebuts the conclusion, undercuts "
            "the step, or undermines a premise. A dotted line is a link that somebody draws between two contents, such "
            "as: contradicts.",
            arguments.OPTIONS, arguments.draw, tables.arguments_table,
            "No argument fits what is chosen. Choose fewer filters.", query=arguments.PARTS,
        ),
        Kind(
            "perceptions", "Perception map",
            "Who sees whom as what, and whether well or ill.",
            "Those on the left see those on the right; what they see them as stands on the line between, with + where "
            "it is well meant, − where it is not, and ± where both. Dashed lines are denied, hedged, left open, or "
            "only wanted or feared. With anything that is judged, also what is taken as a sign of something: what was "
            "done or said stands on the right, and on the line what it is seen to express.",
            perceptions.OPTIONS, perceptions.draw, tables.perceptions_table,
            "No judgement of an agent fits what is chosen. Choose fewer filters, or anything that is judged and not "
            "only agents.",
            ("actor", "actors"), query=perceptions.IMAGES,
        ),
        Kind(
            "timeline", "Timeline",
            "What happened, what was agreed and what was said, in order of time, as exactly as the dates are known.",
            "Each entry is a bar from the first day to the last that its date can mean, or a sign where that is short. "
            "Events, steps of agreements and stances have shapes and colours of their own; a stance that is not simply "
            "affirmed is hollow.",
            timeline.OPTIONS, timeline.draw, tables.timeline_table,
            "Nothing that fits what is chosen has a date. Take the dates of documents too, or choose fewer filters.",
            ("entry", "entries"), query=timeline.EVENTS,
        ),
    )
}  # fmt: skip
"""The pictures, in the order in which they are shown."""
