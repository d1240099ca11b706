"""Invented names and phrases for generated corpora.

Every name is put together by rule from the lists below, so that a number gives always the same
name and no two numbers of a kind give the same. The states are no states that ever were.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import gcd


def _list(words: str) -> list[str]:
    return words.split(";")


_STARTS = _list(
    "Vor;Drel;Zhar;Quel;Bren;Tolm;Ost;Marl;Kesk;Lumb;Pald;Grav;Ruth;Selv;Thorn;Ulm;Hest;Wend;Yarl;Corv;Feld;Jast;Nerv;"
    "Skell"
)
_MIDDLES = _list("a;an;el;en;o;or;u;und")
_STATE_ENDS = _list("dia;land;mark;garia;tova;wick;stria;burg;lonia;zania")
_FAMILY_ENDS = _list("ov;sky;ner;berg;ini;escu;ley;mann;vik;at")
_GIVEN = _list(
    "Amalia;Anselm;Bela;Bruno;Casimir;Clemens;Dorothea;Edda;Emil;Flavia;Gero;Greta;Hanno;Ilka;Ivo;Jutta;Karel;Klara;"
    "Lazar;Ludmila;Milan;Mira;Nestor;Odilia;Oskar;Petra;Radek;Rosa;Silvan;Sofia;Tibor;Ursula;Viktor;Wanda;Zdenka;Zoltan"
)
_BODIES = _list(
    "Ministry of Trade;Ministry of Defence;Foreign Office;Central Bank;Board of Rivers;Courier;Gazette;Institute of "
    "Strategy;Chamber of Commerce;Customs Office;Peace Society;Liberal Party;Farmers' League;National Assembly;General "
    "Staff;University;Academy of Sciences;Railway Company;Port Authority;Broadcasting House"
)
_GROUPS = _list(
    "people;young voters;farmers;officials;leaders;merchants;generals;students;editors;ferrymen;workers;historians;"
    "diplomats;conservatives;reformers;veterans"
)
_TOPICS = _list(
    "river;border;grain;coal;customs;railway;harbour;currency;fishing;textbook;missile;refugee;timber;energy;water;"
    "language;memorial;island;transit;salt;airspace;pension;steel;bridge;labour;wool"
)
_MATTERS = _list(
    "tolls;dispute;policy;security;trade;rights;cooperation;reform;talks;crisis;levies;debts;safety;ownership;quotas;"
    "controls;subsidies;shortage;relations;standards;sanctions;planning"
)
_PLACES = _list("Gate;Bay;Ford;Ridge;Pass;Sound;Falls;Marsh;Heath;Forest;Delta;Cape")
_THEORIES = _list("balance;dependence;prestige;deterrence;concert;bargaining;memory;alliance")
_SCHOOLS = _list("theory;school;model;thesis")
_STEPS = _list("Treaty;Accord;Convention;Protocol;Charter;Compact;Understanding;Arrangement")
_MEASURES = _list("Act;Plan;Programme;Doctrine;Ordinance;Bill;Decree;Scheme")
_POSTS = _list(
    "President;Prime Minister;Foreign Minister;Governor;Ambassador;Speaker;Chair;Professor;Spokesman;Secretary"
)
_GROWTHS = _list(
    "friction over;trust in;pressure for;reliance on;distance in;support for;spending on;attention to;concern over;"
    "progress in;resentment over;speed of;openness in;weight of;quarrels over;confidence in"
)
_STUDIES = _list("A History of;Notes on;The Politics of;Rethinking;Lessons from;The Future of;Inquiries into;On")

PHRASES = _list(
    "in the capital;since the last election;for the time being;along the upper river;in the eyes of the neighbours;"
    "at the spring conference;under the new treaty;with the help of the port towns;in every third province;on paper;"
    "after the long winter;across the mountains;as far as the coast;by the end of the decade;before the harvest;"
    "at a heavy price;without much noise;in the older districts;to the surprise of the press;under the present cabinet;"
    "through the customs union;for reasons of prestige;in return for grain;over two generations"
)
"""What a sentence is drawn out with; none holds a full stop or a negation."""

_KINDS: Mapping[str, tuple[Callable[..., str], tuple[list[str], ...]]] = {
    "State": ("{0}{1}{2}".format, (_STARTS, _MIDDLES, _STATE_ENDS)),
    "Person": ("{0} {1}{2}{3}".format, (_GIVEN, _STARTS, _MIDDLES, _FAMILY_ENDS)),
    "Organization": ("{1} of {0}".format, ([], _BODIES)),
    "Collective": ("{1} of {0}".format, ([], _GROUPS)),
    "Place": ("{0}{1} {2}".format, (_STARTS, _MIDDLES, _PLACES)),
    "Issue": ("{1} {2} of {0}".format, ([], _TOPICS, _MATTERS)),
    "Theory": ("{0} {1} of the {2}{3}ists".format, (_THEORIES, _SCHOOLS, _STARTS, _MIDDLES)),
    "Agreement": ("{1} {2} with {0}".format, ([], [t.capitalize() for t in _TOPICS], _STEPS)),
    "Measure": ("{1} {2} of {0}".format, ([], [t.capitalize() for t in _TOPICS], _MEASURES)),
    "Office": ("{1} of {0}".format, ([], _POSTS)),
    "Event": ("meeting on {1} {2} in {0}".format, ([], _TOPICS, _MATTERS)),
    "Factor": ("{1} {2} {3} in {0}".format, ([], _GROWTHS, _TOPICS, _MATTERS)),
    "Document": ("{0} {1} {2} in {3}{4}{5}".format, (_STUDIES, _TOPICS, _MATTERS, _STARTS, _MIDDLES, _STATE_ENDS)),
}


def invent_name(kind: str, number: int, states: int = 1) -> str:
    """Return a name.

    Parameters:
        kind: class of what is named.
        number: counted from 0.
        states: how many states there are; what belongs to a state is spread over them.

    >>> invent_name("State", 0), invent_name("Issue", 1, states=3)
    ('Voradia', 'language ownership of Nervelmark')
    """
    form, parts = _KINDS[kind]
    sizes = [len(part) or states for part in parts]
    size = 1
    for n in sizes:
        size *= n
    stride = int(size * 0.618) | 1
    while gcd(stride, size) > 1:
        stride += 2
    rounds, left = divmod(number, size)
    place = left * stride % size
    words = []
    for part, n in zip(parts, sizes, strict=True):
        place, index = divmod(place, n)
        words.append(part[index] if part else invent_name("State", index))
    name = form(*words)
    return f"{name} {rounds + 1}" if rounds else name


def make_slug(name: str) -> str:
    """Return the part of an identifier that stands for a name.

    >>> make_slug("Farmers' League of Voradia")
    'farmers-league-of-voradia'
    """
    return name.lower().replace("'", "").replace(" ", "-")


def split_words(name: str) -> str:
    """Return the words of a concept's or a class's name.

    >>> split_words("relation-cooperatesWith")
    'cooperates with'
    """
    word = name.partition("-")[2] or name
    return "".join(f" {c.lower()}" if c.isupper() else c for c in word).strip()
