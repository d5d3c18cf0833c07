"""How the training code draws folds of faces and reckons error rates, and that cards are of the models beside them."""

import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "training"))
from forgery.folds import persons, splits
import metrics

SOURCES, PEOPLE = 24, 30


@pytest.fixture(scope="module")
def clips() -> dict:
    """Six clips a source of people who recur in other sources, each a vector near that person's."""
    rng = np.random.default_rng(0)
    faces = np.linalg.qr(rng.normal(size=(128, 128)))[0][:PEOPLE]
    source = np.repeat(np.arange(SOURCES), 6)
    person = rng.integers(0, PEOPLE, len(source))
    vectors = faces[person] + 0.03 * rng.normal(size=(len(source), 128))
    return {"x": np.zeros((len(source), 1)), "y": np.arange(len(source)) % 2, "source": source, "person": person, "who": persons(vectors)}


def test_a_likeness_is_one_person_in_every_source(clips):
    same = lambda v: v[:, None] == v[None]
    np.testing.assert_array_equal(same(clips["who"]), same(clips["person"]))


@pytest.mark.parametrize("seed", [0, 1])
def test_no_source_and_no_person_is_on_both_sides(clips, seed):
    tested = []
    for train, test in splits(clips, folds=8, seed=seed):
        assert not set(clips["source"][train]) & set(clips["source"][test])
        assert not set(clips["person"][train]) & set(clips["person"][test])
        # whom the split does not forbid is trained on
        free = ~np.isin(clips["source"], clips["source"][test]) & ~np.isin(clips["person"], clips["person"][test])
        np.testing.assert_array_equal(np.sort(train), np.flatnonzero(free))
        tested.append(test)
    np.testing.assert_array_equal(np.sort(np.concatenate(tested)), np.arange(len(clips["y"])))


def test_error_rates_of_two_normal_distributions():
    """Scores of unit variance, means two apart: equal errors at Phi(-1), an AUC of Phi(sqrt 2), and log-likelihood ratios of slope 2."""
    rng = np.random.default_rng(0)
    label = np.repeat([0, 1], 100_000)
    score = rng.normal(size=len(label)) + 2 * label
    assert metrics.eer(score, label) == pytest.approx(0.1587, abs=0.003)
    assert metrics.auc(score, label) == pytest.approx(0.9214, abs=0.003)
    # Phi(1.645 - 2) of the attacks lie under the line that a twentieth of the genuine exceed
    assert metrics.apcer(score, label, 0.05) == pytest.approx(0.3613, abs=0.005)
    slope, offset = metrics.affine(score, label)
    assert (slope, offset) == (pytest.approx(2, abs=0.03), pytest.approx(-2, abs=0.03))
    assert metrics.cllr(slope * score + offset, label) < metrics.cllr(1.5 * score - 1.5, label) < metrics.cllr(np.zeros(len(label)), label) == pytest.approx(1)
    llr = slope * score + offset
    # the best order-keeping calibration costs a little less than the true one, whatever the scale of the scores
    assert metrics.cllr(llr, label) - 0.02 < metrics.min_cllr(score, label) < metrics.cllr(llr, label)
    assert metrics.min_cllr(np.exp(score), label) == pytest.approx(metrics.min_cllr(score, label))
    # of 1,000 people ten attacks, of which three pass; one genuine in a hundred is flagged
    assert metrics.ppv(0.3, 0.01, 0.01) == pytest.approx(7 / (7 + 9.9))


def test_intervals_are_of_sources():
    rng = np.random.default_rng(0)
    label = np.tile([0, 1], 1000)
    score, group = rng.normal(size=2000) + 2 * label, np.repeat(np.arange(40), 50)
    low, high = metrics.interval(lambda rows: metrics.auc(score[rows], label[rows]), group)
    assert low < metrics.auc(score, label) < high and high - low < 0.05
    # sources that differ widen it
    apart = score + rng.normal(size=40)[group] * 2
    wide = metrics.interval(lambda rows: metrics.auc(apart[rows], label[rows]), group)
    assert wide[1] - wide[0] > 2 * (high - low)
    told = metrics.headline(score, 2 * score - 2, label, group)
    assert told.index("APCER at BPCER 1%") < told.index("Cllr") < told.index("AUC") and "PPV" in told


def test_ratios_are_bounded_as_the_library_bounds_them():
    """`calibrate.rs`: as they are for four fifths of the way, then `free + (bound - free) x / (1 + x)`, never reaching the bound."""
    llr = np.array([-40, -2.4, -1.0, 0.0, 2.4, 3.0, 40])
    got = metrics.bounded(llr, -3.0, 3.0)
    np.testing.assert_allclose(got[:-1], [-(2.4 + 0.6 * (37.6 / 0.6) / (1 + 37.6 / 0.6)), -2.4, -1.0, 0.0, 2.4, 2.4 + 0.6 * 0.5])
    assert 2.9 < got[-1] < 3.0 and (np.diff(got) > 0).all()
    np.testing.assert_allclose(metrics.bounded(np.array([-0.9, 0.9]), -0.7, 1.5), [-(0.56 + 0.14 * (0.34 / 0.14) / (1 + 0.34 / 0.14)), 0.9])


@pytest.mark.parametrize("folder", sorted(p.parent for p in Path(__file__).parents[2].glob("models/*/model.toml")), ids=lambda p: p.name)
def test_a_card_is_of_the_model_beside_it(folder):
    model = tomllib.loads((folder / "model.toml").read_text())
    title = (folder / "CARD.md").read_text().splitlines()[0]
    assert title in (f"# {model['id']} {model['version']}", f"# {model['id']}")
