"""The agreement of the two codings: the figures are those of the tables, the tables those of the sample."""

from collections import Counter

import krippendorff
import numpy as np
import pytest

from tests.conftest import REPOSITORY
from tests.records.agreement import CAUSES, FIELDS, Row, alpha, causes, figures, read_pairs, read_table, values

REPORT = REPOSITORY / "kg" / "records" / "AGREEMENT.md"


def place(row: Row) -> tuple[str, str]:
    return row["document"], row["sentence"]


def test_the_report_gives_the_figures_that_the_tables_yield() -> None:
    report = REPORT.read_text(encoding="utf-8").splitlines()
    missing = [line for line in [*figures(), *causes()] if line not in report]
    assert not missing


def test_the_sample_is_sixty_sentences_of_five_documents() -> None:
    sample = [place(row) for row in read_table("sample")]
    assert len(set(sample)) == len(sample) == 60
    assert len({document for document, _ in sample}) == 5
    for name in ("first-coding", "second-coding", "alignment"):
        assert {place(row) for row in read_table(name)} <= set(sample)


def test_rows_are_aligned_one_to_one_within_a_sentence() -> None:
    pairs = read_pairs()
    assert all(place(one) == place(two) for one, two in pairs)
    for side in range(2):
        keys = Counter((*place(pair[side]), pair[side]["key"]) for pair in pairs)
        assert max(keys.values()) == 1


def test_every_disagreement_has_one_cause() -> None:
    pairs = read_pairs()
    aligned = {(*place(row), row["key"]) for pair in pairs for row in pair}
    expected = [
        (*place(one), one["key"], two["key"], field)
        for one, two in pairs
        for field in FIELDS
        if field != "family" and len(set(values((one, two), field))) == 2
    ]
    for name in ("first", "second"):
        for row in read_table(f"{name}-coding"):
            if (*place(row), row["key"]) not in aligned:
                key = row["key"]
                expected.append((*place(row), key if name == "first" else "", key if name == "second" else "", "unit"))
    told = read_table("causes")
    assert Counter(expected) == Counter((*place(r), r["first"], r["second"], r["field"]) for r in told)
    assert {row["cause"] for row in told} <= set(CAUSES)


@pytest.mark.parametrize("seed", range(5))
def test_alpha_of_the_interval_is_that_of_the_library(seed: int) -> None:
    generator = np.random.default_rng(seed)
    coded = generator.integers(6, size=(40, 2))
    coded[:25, 1] = coded[:25, 0]
    expected = krippendorff.alpha(reliability_data=coded.T, level_of_measurement="nominal")
    assert alpha(coded) == pytest.approx(expected)
