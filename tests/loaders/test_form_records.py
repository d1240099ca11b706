"""Records made from filled forms, and forms read back from records."""

from collections.abc import Mapping

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.digests import passage_digest
from kg.errors import ParameterError
from kg.forms import class_form, new_things, proposition_kinds
from loaders.filled_forms import (
    FilledForm,
    Value,
    add_new,
    add_part,
    add_voice,
    drop,
    empty_form,
    read_pairs,
    write_pairs,
)
from loaders.form_reading import read_form, same_record
from loaders.form_records import Surroundings, make_record
from loaders.records import parse_record
from tests.conftest import SAMPLE

TEXT = "The toll divides the towns. Nobody likes it."
KNOWN = {
    "ruritania": "Ruritania", "anna": "Anna", "toll": "toll", "toll-level": "height of the toll", "twin-a": "Twin",
    "twin-b": "Twin", "tolls-divide": "Tolls divide neighbours.", "doc/0-27": "", "doc/s1a": "",
}  # fmt: skip
AROUND = Surroundings(
    called=lambda text, _: [name for name, label in KNOWN.items() if label.casefold() == text.casefold()],
    is_published=lambda name: name in KNOWN,
    is_taken=lambda name: name in KNOWN,
    sentence=lambda start: 1 if start < 27 else 2,
    words=lambda start, end: TEXT[start:end],
    length=len(TEXT),
)


def filled(**values: str) -> FilledForm:
    """A form with one voice; `voice_1__holder="x"` fills `voice-1.holder`, `content__gloss` its content."""
    form = empty_form("doc", ["0-27"], {"coder": "anna", "coded": "2026-11-22", "status": "published"})
    put(form, voice_1__holder="Ruritania", voice_1__act="fears", **values)
    return form


def put(form: FilledForm, **values: str) -> None:
    for name, text in values.items():
        place, _, key = name.replace("__", ".").replace("_", "-").partition(".")
        entry = form.entry(place)
        assert entry is not None, place
        if key == "type":
            entry.class_name = text
        else:
            entry.values[key] = [Value(text, "en" if key in ("gloss", "prefLabel") else "")]


def record(form: FilledForm, around: Surroundings = AROUND) -> dict[str, object]:
    made = make_record(form, around)
    assert made.troubles == ()
    told = yaml.safe_load(made.source)
    assert isinstance(told, dict)
    return told


def only(told: Mapping[str, object], key: str) -> dict[str, object]:
    listed = told[key]
    assert isinstance(listed, list)
    assert len(listed) == 1
    assert isinstance(listed[0], dict)
    return listed[0]


def test_a_form_becomes_an_addition_with_names_made_for_the_coder() -> None:
    told = record(filled(content__type="Proposition", content__gloss="The towns decline.", content__about="Ruritania"))
    assert told["to"] == "doc"
    assertion = only(told, "assertions")
    assert assertion["id"] == "doc/s1b", "the next free key of the sentence"
    assert assertion["holder"] == "ruritania"
    assert assertion["evidencedBy"] == ["doc/0-27"]
    assert assertion["proposition"] == {
        "id": "towns-decline", "type": "Proposition", "gloss": {"en": "The towns decline."}, "about": "ruritania",
    }  # fmt: skip
    assert "passages" not in told, "this one is published"


def test_a_new_passage_is_made_with_the_digest_of_its_words() -> None:
    form = filled(content__type="Proposition", content__gloss="It is so.", content__about="ruritania")
    form.passages = ["28-44"]
    told = record(form)
    assert only(told, "passages") == {
        "id": "doc/28-44", "start": 28, "end": 44, "digest": passage_digest("Nobody likes it."),
    }  # fmt: skip
    assert only(told, "assertions")["id"] == "doc/s2a"


@pytest.mark.parametrize("passage", ["0-45", "9-9", "9-3", "there", "other/0-9", "0-99999999999"])
def test_a_passage_that_cannot_be_is_told_beside_the_passage(passage: str) -> None:
    form = filled()
    form.passages = [passage]
    assert [t.control for t in make_record(form, AROUND).troubles if t.control == "passage"] == ["passage"]


def test_without_the_text_only_passages_that_are_known_can_be_named() -> None:
    around = Surroundings(AROUND.called, AROUND.is_published, AROUND.is_taken, AROUND.sentence)
    form = filled()
    assert not [t for t in make_record(form, around).troubles if t.control == "passage"]
    form.passages = ["3-9"]
    (trouble,) = (t for t in make_record(form, around).troubles if t.control == "passage")
    assert "the text of the document is not here" in trouble.problem


def test_voices_are_nested_from_the_outermost_inwards() -> None:
    form = filled()
    put(form, voice_1__act="reports")
    add_voice(form)
    put(form, voice_2__holder="anna", voice_2__act="fears", content__type="Proposition", content__gloss="It is so.")
    outer = only(record(form), "assertions")
    inner = outer["reports"]
    assert isinstance(inner, dict)
    assert (outer["holder"], inner["holder"], inner["id"]) == ("ruritania", "anna", "doc/s1c")
    assert "proposition" not in outer
    assert inner["proposition"]["gloss"] == {"en": "It is so."}


def test_a_proposition_that_is_known_takes_the_place_of_a_new_one() -> None:
    form = filled(content__type="Relation", content__gloss="This is set aside.")
    form.use = "Tolls divide neighbours. [tolls-divide]"
    assert only(record(form), "assertions")["proposition"] == "tolls-divide"


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("ruritania", "ruritania"), ("Ruritania", "ruritania"), ("RURITANIA", "ruritania"),
        ("Ruritania [ruritania]", "ruritania"), ("anything [ruritania]", "ruritania"), ("new 1", "drivers"),
        ("drivers", "drivers"), ("nobody-knows", "nobody-knows"),
    ],
)  # fmt: skip
def test_a_thing_is_named_by_its_name_by_what_it_is_called_or_by_its_place(written: str, name: str) -> None:
    form = filled()
    add_new(form, "Collective")
    put(form, new_1__prefLabel="drivers", voice_1__holder=written)
    assert only(record(form), "assertions")["holder"] == name


def test_what_nothing_or_several_things_are_called_is_told_beside_the_field() -> None:
    form = filled(voice_1__speaker="Nobody Knows")
    put(form, voice_1__holder="Twin")
    holder, speaker = make_record(form, AROUND).troubles
    assert (holder.control, speaker.control) == ("voice-1.holder", "voice-1.speaker")
    assert "`twin-a`, `twin-b`" in holder.mend


def test_new_things_go_where_they_belong() -> None:
    form = filled(content__type="CausalClaim", content__gloss="The toll empties the inns.", content__about="ruritania")
    put(form, content__cause="height of the toll", content__effect="custom of the inns")
    for class_name in ("Factor", "Organization", "Reading", "Event", "Relation"):
        add_new(form, class_name)
    put(form, new_1__prefLabel="custom of the inns", new_2__prefLabel="The Inns", new_3__polarity="denies")
    put(form, new_4__prefLabel="Night of the inns", new_5__gloss="Inns are towns.", voice_1__otherReading="new 3")
    told = record(form)
    assert only(told, "factors")["id"] == "custom-of-inns"
    assert only(told, "entries") == {"id": "inns", "type": "Organization", "prefLabel": {"en": "The Inns"}}
    assert only(told, "readings")["id"] == "doc/reading-1"
    assert only(told, "events")["id"] == "night-of-inns"
    assert only(told, "propositions")["type"] == "Relation"
    assertion = only(told, "assertions")
    assert assertion["otherReading"] == "doc/reading-1"
    content = assertion["proposition"]
    assert isinstance(content, dict)
    assert (content["cause"], content["effect"]) == ("toll-level", "custom-of-inns")


def test_the_steps_of_a_pathway_are_written_inside_it() -> None:
    form = filled(content__type="CausalPathway", content__gloss="One leads to another.", content__about="ruritania")
    add_part(form)
    add_part(form)
    put(form, part_1__claim="tolls-divide", part_2__claim="tolls-divide")
    content = only(record(form), "assertions")["proposition"]
    assert isinstance(content, dict)
    assert content["hasStep"] == [
        {"id": "one-leads-to-another/1", "type": "PathwayStep", "position": "1", "claim": "tolls-divide"},
        {"id": "one-leads-to-another/2", "type": "PathwayStep", "position": "2", "claim": "tolls-divide"},
    ]


def test_a_name_that_is_taken_gets_a_number_and_one_that_is_given_is_kept() -> None:
    form = filled(content__type="Proposition", content__gloss="Tolls divide.", content__about="ruritania")
    proposition = only(record(form), "assertions")["proposition"]
    assert isinstance(proposition, dict)
    assert proposition["id"] == "tolls-divide-2"
    form.content.name = "my-own"
    proposition = only(record(form), "assertions")["proposition"]
    assert isinstance(proposition, dict)
    assert proposition["id"] == "my-own"
    form.content.name = "My Own"
    assert make_record(form, AROUND).troubles[0].control == "content.id"


def test_a_gloss_without_latin_letters_gets_a_name_all_the_same() -> None:
    form = filled(content__type="Proposition", content__about="ruritania")
    form.content.values["gloss"] = [Value("통행료는 도시를 망친다.", "ko")]
    proposition = only(record(form), "assertions")["proposition"]
    assert isinstance(proposition, dict)
    assert proposition["gloss"] == {"ko": "통행료는 도시를 망친다."}
    parse_record(make_record(form, AROUND).source, "r", lambda _: (["anna"], []))


def test_the_lines_of_the_record_lead_back_to_the_controls() -> None:
    form = filled(content__type="Proposition", content__gloss="It is so.", content__about="ruritania")
    form.passages = ["28-44"]
    made = make_record(form, AROUND)
    lines = made.source.splitlines()

    def control(words: str) -> str | None:
        return made.control_at(next(n for n, line in enumerate(lines, 1) if words in line))

    assert control("holder: ruritania") == "voice-1.holder"
    assert control("en: It is so.") == "content.gloss"
    assert control("coder: anna") == "shared.coder"
    assert control("digest:") == "passage"


def test_switching_the_kind_loses_nothing() -> None:
    form = filled(content__type="Relation", content__gloss="It is so.", content__subject="ruritania")
    again = read_pairs("doc", [*write_pairs(form), ("content.type", "Evaluation")])
    assert again.content.class_name == "Evaluation"
    assert [key for key, _ in again.content.others()] == ["subject"]
    back = read_pairs("doc", [*write_pairs(again), ("content.type", "Relation")])
    assert back.content.texts("subject") == ["ruritania"]


def test_voices_and_things_are_taken_out_and_the_last_voice_stays() -> None:
    form = filled()
    add_voice(form)
    add_new(form, "Factor")
    drop(form, "voice-1")
    drop(form, "new-1")
    drop(form, "voice-2")
    assert [v.place for v in form.voices] == ["voice-2"]
    assert form.new == []


@pytest.mark.parametrize(
    "pairs",
    [
        [("content.type", "Nonsense")], [("voice-1.type", "Person")], [("new-1.type", "Leader")],
        [(f"new-{n}.type", "Factor") for n in range(1, 200)],
    ],
)  # fmt: skip
def test_what_is_no_form_of_ours_is_refused(pairs: list[tuple[str, str]]) -> None:
    with pytest.raises(ParameterError):
        read_pairs("doc", pairs)


NAMES = st.sampled_from(
    ["passage", "note", "content.use", "content.type", "content.gloss", "content.gloss:language", "voice-1.type",
     "voice-1.holder", "voice-2.type", "voice-1.id", "new-1.type", "new-1.prefLabel", "part-1.claim", "shared.coder",
     "shared.coded", "intent", "csrf", "x", "voice-1.", ".holder"]
)  # fmt: skip
CLASSES = [*proposition_kinds(), "Assertion", *(name for names in new_things().values() for name in names)]
ANYTHING = st.one_of(st.text(), st.sampled_from(CLASSES), st.sampled_from(["1-9", "voice 1", "[x]", "a [ruritania]"]))


@settings(max_examples=150)
@given(st.lists(st.tuples(NAMES, ANYTHING), max_size=25))
def test_whatever_is_written_makes_a_record_or_is_told(pairs: list[tuple[str, str]]) -> None:
    try:
        form = read_pairs("doc", pairs)
    except ParameterError:
        return
    made = make_record(form, AROUND)
    assert yaml.safe_load(made.source)["to"] == "doc"
    controls = {"passage", "content.use", "content.type", "shared.coder"}
    for trouble in made.troubles:
        place, _, key = trouble.control.partition(".")
        entry = form.entry(place)
        assert (
            trouble.control in controls
            or key == "id"
            or (entry and class_form(entry.class_name or "Proposition").field(key))
        )


def test_a_form_comes_back_from_the_record_that_was_made_of_it() -> None:
    form = filled(content__type="CausalPathway", content__gloss="One leads to another.", content__about="ruritania")
    put(form, voice_1__act="reports", voice_1__speaker="anna")
    add_voice(form)
    put(form, voice_2__holder="anna", voice_2__act="fears")
    add_part(form)
    put(form, part_1__claim="tolls-divide")
    add_new(form, "Factor")
    put(form, new_1__prefLabel="friction")
    form.content.values["gloss"].append(Value("하나가 또 하나로.", "ko"))
    made = make_record(form, AROUND)
    again = read_form(made.source, "doc")
    assert again is not None
    assert [e.place for e in again.entries] == ["voice-1", "voice-2", "content", "part-1", "new-1"]
    source = make_record(again, AROUND).source
    assert same_record(made.source, source, ["anna"], [])


def test_what_no_form_says_is_no_form() -> None:
    made = make_record(filled(content__type="Proposition", content__gloss="It is so."), AROUND).source
    assert read_form(made, "doc") is not None
    assert read_form(made, "other") is None
    assert read_form(made.replace("act: fears", "act: fears\n  unknown: x"), "doc") is None
    assert read_form(made.replace("assertions:", "sentences:"), "doc") is None
    assert read_form("no: [record", "doc") is None
    assert read_form((SAMPLE / "records/documents/bridge-toll.yaml").read_text("utf-8"), "bridge-toll") is None
