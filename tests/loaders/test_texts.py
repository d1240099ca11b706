"""Texts: recognised by digest, cut into sentences, passages verified by position and digest."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.digests import passage_digest, text_digest
from kg.errors import RecordError, TextError
from loaders.corpus import read_records, verify_texts
from loaders.records import parse_record
from loaders.skeleton import make_skeleton
from loaders.texts import Texts, check_passage, cut_sentences, read_text
from tests.conftest import SAMPLE

PROSE = st.text(alphabet=st.sampled_from("ab .\n“”尹𝔅!?A1"), max_size=300)


@given(PROSE)
def test_sentences_lie_in_order_apart_and_hold_all_ink(text: str) -> None:
    end = 0
    for span in cut_sentences(text):
        assert end <= span.start < span.end <= len(text)
        assert not text[end : span.start].strip()
        assert text[span.start : span.end].strip() == text[span.start : span.end]
        end = span.end
    assert not text[end:].strip()


def test_wrapped_lines_are_joined_and_others_are_not() -> None:
    line = "The toll on the bridge has divided the two states for as long as anyone can say"
    wrapped = f"{line}\nand it still does today. A second one.\n\n{line} too,\nin truth.\n"
    found = [" ".join(wrapped[s.start : s.end].split()) for s in cut_sentences(wrapped)]
    assert found == [f"{line} and it still does today.", "A second one.", f"{line} too, in truth."]
    assert len(cut_sentences("A heading\nA short line. Another.\n")) == 3


@given(st.text(min_size=1).filter(lambda t: "\r" not in t), st.data())
def test_a_passage_is_verified_exactly(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    digest = passage_digest(text[start:end])
    assert check_passage(text, start, end, digest) is None
    assert "the text has" in str(check_passage(text, start, len(text) + 1, digest))
    if text[start:end] != text[start : end - 1] + "x":
        assert "digest" in str(check_passage(text[: end - 1] + "x" + text[end:], start, end, digest))


def test_a_text_is_recognised_by_its_digest_whatever_its_name(tmp_path: Path) -> None:
    (tmp_path / "any name.txt").write_bytes(b"On tolls.\r\n")
    texts = Texts(tmp_path)
    assert texts.find(text_digest("On tolls.\r\n")) == "On tolls.\r\n"
    assert texts.find(text_digest("On tolls.\n")) is None
    assert texts.quote(text_digest("On tolls.\r\n"), 3, 11) == "tolls."


def test_a_text_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "latin.txt").write_bytes("Böhmen".encode("latin-1"))
    with pytest.raises(TextError, match=r"latin\.txt: not UTF-8 text \(byte 1\)"):
        read_text(tmp_path / "latin.txt")
    with pytest.raises(TextError, match="No such file"):
        read_text(tmp_path / "absent.txt")


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1))
def test_a_skeleton_reads_as_a_record_once_its_blanks_are_filled(text: str) -> None:
    skeleton = make_skeleton(text, "toll")
    for blank, value in (("NAME-OF-AN-AGENT", "anna"), ("YYYY-MM-DD", "1998-01-01")):
        skeleton = skeleton.replace(blank, value)
    record = parse_record(skeleton, "toll.yaml")
    assert sum(q.predicate.value.endswith("sentenceNumber") for q in record.quads) == len(cut_sentences(text))


def test_a_skeleton_has_no_word_of_the_text() -> None:
    text = (SAMPLE / "texts" / "bridge-toll.txt").read_text("utf-8")
    skeleton = make_skeleton(text, "bridge-toll")
    assert not any(" ".join(text.split()[i : i + 4]) in skeleton for i in range(len(text.split()) - 4))


def test_a_document_name_must_be_a_slug() -> None:
    with pytest.raises(RecordError, match="cannot name a document"):
        make_skeleton("Text.", "A b")


def test_wrong_passages_are_told_with_their_line(tmp_path: Path) -> None:
    record = (SAMPLE / "records" / "documents" / "reply-from-borduria.yaml").read_text("utf-8")
    (tmp_path / "r.yaml").write_text(record.replace("digest: ", "digest: 0", 3), "utf-8")
    (tmp_path / "t.txt").write_bytes((SAMPLE / "texts" / "reply-from-borduria.txt").read_bytes())
    records = read_records([tmp_path / "r.yaml"])
    assert not verify_texts(records, Texts(tmp_path))[0].text_found
    (tmp_path / "r.yaml").write_text(record.replace(", digest: ", ", digest: 0", 2), "utf-8")
    [verification] = verify_texts(read_records([tmp_path / "r.yaml"]), Texts(tmp_path))
    assert verification.text_found
    assert len(verification.problems) == 2
    assert all("r.yaml:" in str(p) and "whosays passage" in p.mend for p in verification.problems)
