from types import SimpleNamespace

import numpy as np
import pytest

from codomain.core import UserError
from codomain.encode import TokenCounts, resolve
from codomain.guard import audit

COPY, NEAR, OUTLIER, LABEL, SAME_VECTOR, UNKNOWN, CUT = 1, 2, 4, 8, 16, 32, 64


def lists(X, k=15):
    U = (X / np.maximum(np.linalg.norm(X, axis=1, keepdims=True), 1e-12)).astype(np.float32)
    cosine = U @ U.T
    np.fill_diagonal(cosine, -np.inf)
    order = np.argsort(-cosine, axis=1, kind="stable")[:, :k]
    return SimpleNamespace(indices=order.astype(np.int32), scores=np.take_along_axis(cosine, order, axis=1))


def topics(n=1200, n_groups=8, d=24, d_full=64, seed=0):
    """Groups of differing density on a subspace, with a little noise everywhere: not isotropic, no row planted."""
    rng = np.random.default_rng(seed)
    y = rng.integers(n_groups, size=n)
    width = rng.uniform(0.3, 0.8, size=n_groups)
    X = np.zeros((n, d_full))
    X[:, :d] = rng.normal(size=(n_groups, d))[y] + width[y, None] * rng.normal(size=(n, d))
    return (X + 0.05 * rng.normal(size=X.shape)).astype(np.float32), y


def check(found, kind):
    return next(c for c in found.checks if c.kind == kind)


def precision_recall(flagged, planted):
    hit = len(set(flagged) & set(planted))
    return hit / max(len(flagged), 1), hit / len(planted)


@pytest.mark.parametrize(("n", "d"), [(1500, 384), (1500, 32), (1500, 8), (1500, 3)])
def test_clean_isotropic_rows_are_left_alone(n, d):
    rng = np.random.default_rng(d)
    X = rng.normal(size=(n, d)).astype(np.float32)
    found = audit(X, lists(X), labels=rng.integers(5, size=n))
    assert not (found.flags & (COPY | NEAR)).any()
    assert (found.flags & OUTLIER).astype(bool).mean() < 0.003
    assert (found.flags & LABEL).astype(bool).mean() < 0.05  # these labels are noise: nobody can know better


@pytest.mark.parametrize("seed", range(3))
def test_clean_topics_are_left_alone(seed):
    X, y = topics(seed=seed)
    found = audit(X, lists(X), labels=y)
    assert (found.flags != 0).mean() < 0.005


@pytest.mark.parametrize("seed", range(3))
def test_planted_copies_are_all_found_and_nothing_else(seed):
    X, _ = topics(seed=seed)
    rng = np.random.default_rng(seed)
    new, old = np.arange(1100, 1200), rng.integers(1000, size=100)
    X[new] = X[old]
    found = audit(X, lists(X))
    assert np.flatnonzero(found.flags & COPY).tolist() == new.tolist()
    assert check(found, "duplicate").count == 100
    others = {f["row"]: f["other"] for f in check(found, "duplicate").findings}
    assert all((X[row] == X[other]).all() and other < row for row, other in others.items())


def test_the_same_text_is_a_copy_whatever_its_vector():
    X, _ = topics()
    texts = [f"text {i}" for i in range(len(X))]
    texts[50] = " text 3\n"
    found = audit(X, lists(X), texts=texts)
    assert np.flatnonzero(found.flags & COPY).tolist() == [50]
    assert check(found, "duplicate").findings[0]["why"] == "Same text as the other row."
    assert check(found, "duplicate").findings[0]["other"] == 3


def test_the_same_vector_with_another_text_is_no_copy_and_has_a_flag_of_its_own():
    X, _ = topics()
    X[50] = X[60] = X[70] = X[3]
    texts = [f"text {i}" for i in range(len(X))]
    texts[60], texts[70] = "Text  3", texts[50]  # 70 repeats the text of 50
    found = audit(X, lists(X), texts=texts)
    assert np.flatnonzero(found.flags & SAME_VECTOR).tolist() == [50, 60]
    assert np.flatnonzero(found.flags & COPY).tolist() == [70]
    assert not (found.flags & NEAR).any()
    why = {finding["row"]: finding["why"] for finding in check(found, "same_vector").findings}
    assert "encoder does not see the difference; 3 texts have this vector" in why[50]
    assert "differs in case or white space only" in why[60]
    assert "can go" in check(found, "duplicate").how and "can go" not in check(found, "same_vector").how


def test_one_text_in_two_unicode_forms_is_a_copy():
    X, _ = topics()
    texts = [f"text {i}" for i in range(len(X))]
    texts[3], texts[50] = "caf\u00e9", "cafe\u0301 "
    assert np.flatnonzero(audit(X, lists(X), texts=texts).flags & COPY).tolist() == [50]


def test_unread_and_unknown_texts_are_counted_as_by_hand():
    X, _ = topics(n=40)
    read, unread, unknown = (np.zeros(40, int) for _ in range(3))
    read[:], unread[7], unread[9], unknown[5], unknown[6] = 10, 30, 10, 10, 2
    tokens = TokenCounts(read, unread, unknown, 10)
    found = audit(X, lists(X), texts=[f"text {i}" for i in range(40)], tokens=tokens)
    assert np.flatnonzero(found.flags & CUT).tolist() == [7, 9] == sorted(check(found, "cut_text").rows)
    assert np.flatnonzero(found.flags & UNKNOWN).tolist() == [5]
    assert check(found, "cut_text").findings[0] == {
        "row": 7, "other": None, "score": 0.75, "why": "30 of its 40 tokens go unread.",
    }  # fmt: skip
    assert "40 tokens (9.1% of all) go unread" in check(found, "cut_text").says
    assert (
        "2 rows hold tokens" in check(found, "unknown_text").how
        and "12 in all (3.0%" in check(found, "unknown_text").how
    )
    assert found.to_dict()["tokens"]["tokens_unread"] == 40 and found.tokens["texts_without_known_tokens"] == 1


def test_texts_that_minilm_cannot_read_are_no_copies_of_each_other():
    """Emoji, Thai and Khmer are one unknown token each to it, so that different texts have one vector."""
    encoder = resolve()
    strange = ["😀", "🎉", "🚀", "สวัสดี", "ขอบคุณ", "ประเทศ", "សួស្តី", "អរគុណ", "ជំរាបលា", "🎉 "]
    texts = strange + [f"{verb} the {noun}" for verb in ("open", "close", "read") for noun in ("door", "file", "mail")]
    X = encoder.encode(texts)
    found = audit(X, lists(X), texts=texts, tokens=encoder.count(texts))
    assert np.flatnonzero(found.flags & COPY).tolist() == [9]  # the second party popper
    assert np.flatnonzero(found.flags & UNKNOWN).tolist() == list(range(10))
    assert set(np.flatnonzero(found.flags & SAME_VECTOR)) == set(range(1, 9))


def test_long_texts_with_one_beginning_are_told_apart_or_their_cut_is_said():
    beginning = "the minutes of the meeting of the board " * 40  # 320 words, more than are read at once
    texts = [beginning + end for end in ("the budget passed", "penguins sang", "the ship sank")] + ["a", "b", "c"]
    for long, alike in (("mean", []), ("cut", [1, 2])):
        encoder = resolve(f"builtin:minilm?long={long}")
        X = encoder.encode(texts)
        found = audit(X, lists(X), texts=texts, tokens=encoder.count(texts))
        assert not (found.flags & COPY).any()
        assert np.flatnonzero(found.flags & SAME_VECTOR).tolist() == alike
        assert np.flatnonzero(found.flags & CUT).tolist() == ([0, 1, 2] if alike else [])


def test_a_near_copy_says_how_many_words_both_texts_hold():
    X, _ = topics()
    X[1199] = X[3] + 0.02 * np.random.default_rng(0).normal(size=64)
    texts = [f"word{i} and more" for i in range(len(X))]
    assert (
        "they share 50% of their words" in check(audit(X, lists(X), texts=texts), "near_duplicate").findings[0]["why"]
    )


def test_zero_and_minus_zero_are_the_same_number():
    X, _ = topics()
    X[:, 0] = 0.0
    X[50] = X[3]
    X[50, 0] = -0.0
    assert np.flatnonzero(audit(X, lists(X)).flags & COPY).tolist() == [50]


@pytest.mark.parametrize("seed", range(3))
def test_planted_near_copies_are_found(seed):
    X, _ = topics(seed=seed)
    rng = np.random.default_rng(seed)
    new, old = np.arange(1140, 1200), rng.choice(1000, size=60, replace=False)
    X[new] = X[old] + 0.02 * rng.normal(size=(60, X.shape[1]))
    precision, recall = precision_recall(np.flatnonzero(audit(X, lists(X)).flags & NEAR).tolist(), new.tolist())
    assert precision >= 0.95
    assert recall >= 0.9


def test_a_tight_template_larger_than_the_lists_is_still_found():
    X, _ = topics()
    X[1150:] = X[3] + 0.005 * np.random.default_rng(0).normal(size=(50, X.shape[1]))
    precision, recall = precision_recall(
        np.flatnonzero(audit(X, lists(X)).flags & NEAR).tolist(), list(range(1150, 1200))
    )
    assert precision >= 0.95
    assert recall >= 0.9


def test_the_threshold_follows_the_space_and_not_a_constant():
    """Cosines of 0.99 are everyday in a narrow cone, and nothing there is a near copy."""
    rng = np.random.default_rng(0)
    X = (np.eye(64)[0] * 12 + rng.normal(size=(1500, 64))).astype(np.float32)
    near = lists(X)
    assert np.median(near.scores[:, 0]) > 0.82
    assert check(audit(X, near), "near_duplicate").count == 0


@pytest.mark.parametrize("seed", range(3))
def test_planted_outliers_are_found(seed):
    X, _ = topics(seed=seed)
    rng = np.random.default_rng(seed)
    planted = rng.choice(len(X), 15, replace=False)
    X[planted] = rng.normal(size=(15, X.shape[1]))
    precision, recall = precision_recall(np.flatnonzero(audit(X, lists(X)).flags & OUTLIER).tolist(), planted.tolist())
    assert precision >= 0.9
    assert recall >= 0.9


def test_a_copied_outlier_is_still_an_outlier():
    X, _ = topics()
    X[10] = X[20] = np.random.default_rng(0).normal(size=X.shape[1])
    flags = audit(X, lists(X)).flags
    assert flags[10] & OUTLIER
    assert flags[20] & OUTLIER


def test_never_more_than_a_twentieth_are_outliers():
    X, _ = topics()
    X[::8] = np.random.default_rng(0).normal(size=(150, X.shape[1]))
    assert (audit(X, lists(X)).flags & OUTLIER).astype(bool).mean() <= 0.05


@pytest.mark.parametrize("seed", range(3))
def test_flipped_labels_are_found(seed):
    X, y = topics(seed=seed)
    rng = np.random.default_rng(seed)
    planted = rng.choice(len(X), 36, replace=False)
    y[planted] = (y[planted] + rng.integers(1, 8, size=36)) % 8
    found = check(audit(X, lists(X), labels=[f"class {c}" for c in y]), "label")
    precision, recall = precision_recall(found.rows, planted.tolist())
    assert precision >= 0.9
    assert recall >= 0.9
    first = found.findings[0]
    assert first["why"].startswith(f"Labelled class {y[first['row']]}; ")
    assert first["why"].endswith(f"nearest rows are {first['better']}.")


def test_copies_do_not_vouch_for_each_other():
    """Ten copies of one row carry the same wrong label; without them 15 of 15 neighbours disagree."""
    X, y = topics()
    rows = np.arange(1190, 1200)
    X[rows] = X[3]
    y[3] = y[rows] = (y[3] + 1) % 8
    found = check(audit(X, lists(X, k=20), labels=y), "label")
    assert set(rows.tolist()) <= set(found.rows)


def test_copies_have_one_vote_against_others():
    """A row among 10 copies of one differently labelled text keeps its label: the other voices share it."""
    X, y = topics(n_groups=2, d=4)
    middle = X[y == 0].mean(axis=0)
    X[1189] = middle
    X[1190:1200] = middle + 0.01
    y[1189], y[1190:1200] = 0, 1
    assert 1189 not in check(audit(X, lists(X, k=20), labels=y), "label").rows


def test_a_copy_with_another_label_may_contradict():
    X, y = topics()
    clean = check(audit(X, lists(X), labels=y), "label")
    X[1199] = X[3]
    y[1199] = (y[3] + 1) % 8
    found = check(audit(X, lists(X), labels=y), "label")
    assert 1199 in found.rows
    assert 3 not in found.rows
    assert clean.count <= found.count


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        (list(range(1200)), "1,200 different labels"),
        (["one"] * 1200, "the same label"),
        ([None, "", float("nan"), " "] * 300, "no row has a label"),
    ],
)
def test_labels_that_cannot_be_checked_say_why(labels, reason):
    X, _ = topics()
    found = audit(X, lists(X), labels=labels)
    assert "not possible" in check(found, "label").says
    assert reason in check(found, "label").says
    assert not (found.flags & LABEL).any()


def test_rare_classes_are_not_accused():
    X, y = topics()
    labels = [f"class {c}" for c in y]
    labels[5] = labels[6] = "rare"
    found = check(audit(X, lists(X), labels=labels), "label")
    assert not {5, 6} & set(found.rows)
    assert "2 rows could not be judged" in found.how


def test_missing_labels_neither_vote_nor_stand_trial():
    X, y = topics()
    labels = [None if i % 4 == 1 else f"class {c}" for i, c in enumerate(y)]
    labels[0] = f"class {(y[0] + 1) % 8}"
    found = check(audit(X, lists(X), labels=labels), "label")
    assert 0 in found.rows
    assert all(labels[row] is not None for row in found.rows)


def test_findings_are_worst_first_and_match_flags_and_counts():
    X, y = topics()
    X[1100:] = X[:100]
    y[::50] = (y[::50] + 1) % 8
    found = audit(X, lists(X), labels=y)
    for bit, c in zip((COPY, NEAR, OUTLIER, LABEL), found.checks, strict=True):
        scores = [finding["score"] for finding in c.findings]
        assert scores == sorted(scores, reverse=True)
        assert [finding["row"] for finding in c.findings] == c.rows
        assert set(c.rows) <= set(np.flatnonzero(found.flags & bit).tolist())
        assert c.count == (found.flags & bit).astype(bool).sum()
        assert c.how
        assert all(finding["why"].endswith(".") for finding in c.findings)


def test_the_list_is_cut_at_a_thousand_and_the_count_is_not():
    X, _ = topics(n=2400)
    X[1200:] = X[:1200]
    c = check(audit(X, lists(X)), "duplicate")
    assert (c.count, len(c.rows), len(c.findings)) == (1200, 1000, 1000)


def test_identical_rows_and_a_handful_of_rows_work():
    for n in (1, 2, 4, 40):
        X = np.ones((n, 3), dtype=np.float32)
        found = audit(X, lists(X, k=min(15, n - 1)), labels=["a", "b"] * (n // 2) + ["a"] * (n % 2))
        assert (found.flags & COPY).sum() == n - 1


def test_the_record_is_plain_json():
    import json

    X, y = topics()
    X[7] = X[3]
    record = json.loads(json.dumps(audit(X, lists(X), labels=y).to_dict(), allow_nan=False))
    assert [c["kind"] for c in record["checks"]] == ["duplicate", "near_duplicate", "outlier", "label"]


def test_a_null_adds_how_rare_a_cosine_is():
    X, _ = topics()
    X[1199] = X[3] + 0.02 * np.random.default_rng(0).normal(size=64)
    null = SimpleNamespace(percentile=lambda scores: np.full(len(scores), 0.999))
    assert "99.90% of random pairs" in check(audit(X, lists(X), null=null), "near_duplicate").findings[0]["why"]


def test_lengths_that_differ_are_refused():
    X, _ = topics()
    with pytest.raises(UserError, match="3 texts came with 1200 vectors"):
        audit(X, lists(X), texts=["a", "b", "c"])
    with pytest.raises(UserError, match="neighbour lists of shape"):
        audit(X[:5], lists(X))


def overlapping(seed, n_wrong=40):
    """Topics of which 3 in 10 rows of "class 0" are called "class 1", and some single labels are wrong."""
    X, y = topics(n=1600, seed=seed)
    rng = np.random.default_rng(seed)
    y[(y == 0) & (rng.random(len(y)) < 0.3)] = 1
    wrong = rng.choice(np.flatnonzero(y > 1), n_wrong, replace=False)
    y[wrong] = 2 + (y[wrong] - 2 + rng.integers(1, 6, size=n_wrong)) % 6
    return X, [f"class {c}" for c in y], wrong


@pytest.mark.parametrize("seed", range(4))
def test_two_classes_in_one_place_are_one_pair_and_single_wrong_labels_stay_rows(seed):
    X, labels, wrong = overlapping(seed)
    found = check(audit(X, lists(X), labels=labels), "label")
    assert [{pair["given"], pair["better"]} for pair in found.pairs] == [{"class 0", "class 1"}]
    pair = found.pairs[0]
    both = {"class 0", "class 1"}
    paired = [one["row"] for one in found.findings if {one["given"], one["better"]} == both]
    assert len(paired) == pair["rows_given"] + pair["rows_better"] >= 5
    alone = set(found.rows) - set(paired)
    assert len(alone & set(wrong.tolist())) >= 0.9 * len(wrong)
    assert pair["says"].startswith(f"{pair['rows_given']} rows of '{pair['given']}' (")
    assert found.says.endswith(
        f"{len(paired)} of them between a pair of classes that overlaps, {len(alone)} by themselves."
    )
    sizes = {name: labels.count(name) for name in both}
    assert pair["share_given"] == pytest.approx(pair["rows_given"] / sizes[pair["given"]])
    assert pair["share_better"] == pytest.approx(pair["rows_better"] / sizes[pair["better"]])
    assert pair["mixed"] > 3 * pair["lone"]


@pytest.mark.parametrize("n_classes", [2, 8])
@pytest.mark.parametrize("seed", range(4))
def test_wrong_labels_between_classes_that_lie_apart_are_no_overlap(n_classes, seed):
    """One label in ten of the first class is wrong, always the same way: many rows, and still rows."""
    X, y = topics(n=1600, n_groups=n_classes, seed=seed)
    wrong = np.flatnonzero(y == 0)[::10]
    y[wrong] = 1
    found = check(audit(X, lists(X), labels=y), "label")
    assert len(set(found.rows) & set(wrong.tolist())) >= 10
    assert found.pairs == []


def test_what_scattered_doubts_would_give_is_that_of_classes_by_size():
    """By brute force: of all ordered pairs of rows of two classes, the share that is of these two."""
    X, labels, _ = overlapping(1)
    found = check(audit(X, lists(X), labels=labels), "label")
    pair, names = found.pairs[0], np.array(labels)
    differ = names[:, None] != names[None, :]
    ours = (names[:, None] == pair["given"]) & (names[None, :] == pair["better"])
    assert pair["scattered"] == pytest.approx(found.count * 2 * ours.sum() / differ.sum())


def test_rows_of_pairs_never_crowd_single_rows_out_of_the_list():
    from codomain.guard.engine import audit as module

    X, labels, _ = overlapping(0)
    whole = check(audit(X, lists(X), labels=labels), "label")
    both = {whole.pairs[0]["given"], whole.pairs[0]["better"]}
    single = {one["row"] for one in whole.findings if {one["given"], one["better"]} != both}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "LISTED", len(single) + 2)
        patch.setattr("codomain.guard.engine.check.LISTED", len(single) + 2)
        cut = check(audit(X, lists(X), labels=labels), "label")
    assert len(cut.rows) == len(single) + 2 and single < set(cut.rows)
