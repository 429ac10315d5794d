import math

import numpy as np
import pytest

import codomain
from codomain.core import EncoderIdentity, EncoderMismatch, UserError, unit_rows
from codomain.search import Keywords, Null, fuse, search
from codomain.search.engine.fusion import earned
from codomain.space import IndexPart, Roles

WORDS = ("json", "parse", "file", "zip", "open", "socket", "lasagne", "oven", "date", "time", "calendar", "read")


class BagOfWords:
    """One number per known word, and a little of everything."""

    batch_rows = 8

    def __init__(self, name="bag"):
        self.identity = EncoderIdentity(name=name, sha256="0" * 64, dim=len(WORDS), uri=f"{name}:words")

    def encode(self, texts, *, query=False):
        counts = np.array([[text.lower().split().count(word) for word in WORDS] for text in texts], np.float32)
        return unit_rows(counts.reshape(len(texts), len(WORDS)))


TEXTS = [
    "parse json file", "read json", "open zip file", "open a socket", "date and time", "calendar date",
    "parse date", "read the file", "read the file", "zip json", "socket time",
]  # fmt: skip


@pytest.fixture(scope="module")
def encoder():
    return BagOfWords()


@pytest.fixture(scope="module")
def space(tmp_path_factory, encoder):
    folder = tmp_path_factory.mktemp("search")
    rows = {
        "id": [f"r{i}" for i in range(len(TEXTS))], "text": TEXTS, "year": list(range(2000, 2000 + len(TEXTS))),
        "kind": ["data", "net"] * 5 + [None],
    }  # fmt: skip
    made = codomain.write(
        folder / "texts.space", rows, encoder.encode(TEXTS), encoder=encoder.identity, roles=Roles(text="text", id="id")
    )
    Keywords.build(TEXTS, folder / IndexPart.keywords).close()
    null = Null.fit(made.vectors, texts=TEXTS, encoder=encoder)
    return made.put(
        IndexPart.name,
        {IndexPart.keywords: folder / IndexPart.keywords, IndexPart.null: null.to_dict()},
        made_from="test",
    )


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    X = np.random.default_rng(0).standard_normal((300, 6)).astype(np.float32)
    return codomain.write(tmp_path_factory.mktemp("bare") / "bare.space", {"id": list(range(300))}, X, encoder=None)


def ids(results):
    return [hit.id for hit in results]


def test_meaning_is_the_order_of_cosines(space, encoder):
    found = search(space, "parse json", encoder=encoder, mode="meaning", k=11)
    X = encoder.encode(TEXTS).astype(np.float64)
    cosines = X @ encoder.encode(["parse json"])[0].astype(np.float64)
    assert [hit.row for hit in found] == np.lexsort((np.arange(11), -np.round(cosines, 6))).tolist()
    np.testing.assert_allclose([hit.score for hit in found], np.sort(cosines)[::-1], atol=1e-6)
    assert [hit.why.by_meaning for hit in found] == list(range(1, 12))
    assert found[0].columns["text"] == "parse json file" and found[0].why.words == ("parse", "json")


def test_words_alone_need_no_encoder(space):
    found = search(space, "zip", mode="words")
    assert set(ids(found)) == {"r2", "r9"}
    assert found[0].percentile is None and found[0].why.by_words == 1 and found[0].why.by_meaning is None


def test_both_roads_are_joined_by_how_far_each_row_stands_above_the_end_of_its_list(space, encoder):
    roads = [search(space, "read file", encoder=encoder, mode=mode, k=11) for mode in ("meaning", "words")]
    both = search(space, "read file", encoder=encoder, k=11)
    earned = np.zeros(len(TEXTS))
    for road, end in zip(roads, (roads[0][-1].score, 0.0), strict=True):  # a row without the words has BM25 0
        for hit in road:
            earned[hit.row] += (hit.score - end) / (road[0].score - end)
    assert [hit.row for hit in both] == np.lexsort((np.arange(len(TEXTS)), -np.round(earned, 6))).tolist()
    assert {(hit.row, hit.why.by_words) for hit in both if hit.why.by_words} == {
        (hit.row, hit.why.by_words) for hit in roads[1]
    }


def test_an_unwanted_word_keeps_its_rows_out_of_both_lists(space, encoder):
    for mode in ("both", "meaning", "words"):
        found = search(space, "file json -zip", encoder=encoder, mode=mode, k=11)
        assert ids(found) and not {"r2", "r9"} & set(ids(found)) and "zip are left out" in repr(found)
    plain = search(space, "parse date", encoder=encoder, mode="meaning")
    bent = search(space, 'parse date -"zip json"', encoder=encoder, mode="meaning", k=11)  # not encoded, only left out
    assert bent[0].score == plain[0].score and "r9" not in ids(bent) and "r2" in ids(bent)
    assert ids(search(space, "-json", like=["r0"], k=11)).count("r1") == 0
    assert not len(search(space, "socket -time -open", encoder=encoder, mode="words"))


def test_rows_that_must_not_hold_a_word_do_not_make_another_close(space, encoder):
    strict = Null.from_dict({**search_null(space), "nothing": [[2.0, 1.0]]})
    assert not search(space, "zip json", encoder=encoder, null=strict).nothing_close
    assert search(space, "zip json -file -open -zip", encoder=encoder, null=strict).nothing_close


@pytest.mark.parametrize(
    "text", ["json " * 20_000, "日本語 json 😀", "json\0\x01", "json \udcff", "JSON é" * 3, 'json "']
)
def test_a_question_of_any_length_and_alphabet_is_answered(space, encoder, text):
    found = search(space, text, encoder=encoder, k=3)
    assert {hit.row for hit in found} & {0, 1, 9}
    assert [hit.row for hit in found] == [hit.row for hit in search(space, text, encoder=encoder, k=3, exact=True)]


def test_of_very_many_words_the_first_are_looked_up_and_that_is_said(space, encoder):
    many = " ".join(["json", *(f"word{i}" for i in range(20_000))])
    found = search(space, many, encoder=encoder, mode="words")
    assert set(ids(found)) == {"r0", "r1", "r9"} and "64 of its words" in repr(found)


def test_a_row_of_zeros_has_cosine_zero_with_every_question(tmp_path, encoder):
    X = np.concatenate([encoder.encode(["json", "qwertz", "zip"]), -encoder.encode(["json"])])
    assert not X[1].any()
    space = codomain.write(
        tmp_path / "zero.space", {"id": list("abcd")}, X, encoder=encoder.identity, roles=Roles(id="id")
    )
    found = search(space, "json", encoder=encoder)
    assert [hit.score for hit in found if hit.id == "b"] == [0.0]
    assert ids(found) == list("abcd")
    with pytest.raises(UserError, match="no direction"):
        search(space, like=["b"])


def test_ids_may_come_as_an_array(bare):
    assert ids(search(bare, like=np.array([3, 7]), unlike=np.array([9, 11]))) == ids(
        search(bare, like=[3, 7], unlike=[9, 11])
    )


@pytest.mark.parametrize("seed", range(3))
def test_no_near_row_is_lost_in_blocks_and_rounding(tmp_path, seed, monkeypatch):
    monkeypatch.setattr("codomain.search.engine.nearest._BLOCK", 64)
    rng = np.random.default_rng(seed)
    X = (rng.standard_normal(40) + 1e-6 * rng.standard_normal((500, 40))).astype(np.float32)  # float32 cannot tell them
    space = codomain.write(tmp_path / "close.space", {"id": list(range(500))}, X, encoder=None)
    q = rng.standard_normal(40)
    unit = unit_rows(X.astype(np.float64))
    cosines = unit @ (unit_rows(q[None])[0].astype(np.float32).astype(np.float64))
    found = search(space, q, k=20)
    assert [hit.row for hit in found] == np.lexsort((np.arange(500), -cosines.astype(np.float32)))[:20].tolist()


def test_lists_joined_by_hand():
    """Rows 4, 2 and 9 stand at 1, 2/3 and 0; rows 2 and 5 at 1 and 1/2, and one that is missing at 0."""
    lists = [([4, 2, 9], [0.8, 0.6, 0.2], 0.2), ([2, 5], [5.0, 3.0], 1.0)]
    assert fuse(lists).tolist() == [2, 4, 5, 9]
    clear = math.exp(2) / (math.exp(2) + 2)
    one, two = math.exp(2) + math.exp(4 / 3) + 1, math.exp(2) + math.exp(1) + 1
    by_hand = {4: math.exp(2) / one, 2: math.exp(4 / 3) / one + math.exp(2) / two, 5: math.exp(1) / two, 9: 1 / one}
    assert earned(lists) == pytest.approx({row: share / clear for row, share in by_hand.items()})
    assert fuse([([], [], 0.0), ([], [], 0.0)]).tolist() == []
    assert fuse([([3], [0.5], 0.5), ([1], [2.0], 0.0)]).tolist() == [1, 3]  # one row each: both earn 1


def test_one_clear_answer_outweighs_a_list_whose_scores_hardly_differ():
    vague = ([7, 8, 9], [0.52, 0.51, 0.50], 0.2)
    clear = ([9, 7, 8], [30.0, 6.0, 5.0], 0.0)
    assert fuse([vague, clear])[0] == 9
    many = (list(range(10)), [0.60 - 0.01 * n for n in range(10)], 0.51)
    assert fuse([many, ([9, 0], [20.0, 10.0], 0.0)])[0] == 9  # though 0 is the first of one list and the other's second
    assert max(earned([many]).values()) < 0.5
    assert earned([([1, 2], [9.0, 1.0], 1.0)]) == pytest.approx({1: 1, 2: math.exp(-2)})


def test_equal_rows_come_in_row_order(space, encoder):
    assert ids(search(space, "read file", encoder=encoder, mode="meaning"))[:2] == ["r7", "r8"]


def test_like_a_row_leaves_it_out_and_unlike_turns_away(space):
    assert ids(search(space, like=["r0"], k=3))[0] == "r1"
    both_ways = search(space, like=["r0"], unlike=["r1"], k=11)
    assert not {"r0", "r1"} & set(ids(both_ways))
    X = np.asarray(space.vectors[:], np.float64)
    away = X @ (X[0] - X[1])
    away[[0, 1]] = -np.inf
    assert both_ways[0].row == int(np.argmax(away))


def test_a_question_may_be_bent_by_examples(space, encoder):
    plain = search(space, "date", encoder=encoder, mode="meaning")
    bent = search(space, "date", unlike=["r5"], encoder=encoder, mode="meaning")
    assert "r5" in ids(plain) and "r5" not in ids(bent)


def test_a_vector_is_compared_as_it_is(bare):
    q = np.random.default_rng(1).standard_normal(6)
    found = search(bare, q, k=7)
    X = np.asarray(bare.vectors[:], np.float64)
    cosines = X @ q / np.linalg.norm(X, axis=1) / np.linalg.norm(q)
    assert [hit.row for hit in found] == np.argsort(-cosines)[:7].tolist()
    assert found[0].percentile == pytest.approx(np.mean((unit_rows(X) @ unit_rows(X).T) < found[0].score), abs=0.02)


def test_a_condition_is_met_before_ranking(space, encoder):
    for where in ("kind == 'net'", "year in (2003,)", "'date' in text"):
        every = search(space, "json file", encoder=encoder, k=11, mode="meaning")
        some = search(space, "json file", encoder=encoder, k=11, mode="meaning", where=where)
        allowed = {"kind == 'net'": {1, 3, 5, 7, 9}, "year in (2003,)": {3}, "'date' in text": {4, 5, 6}}[where]
        assert [hit.row for hit in some] == [hit.row for hit in every if hit.row in allowed]
    assert set(ids(search(space, "zip", mode="words", where="kind = net"))) == {"r9"}


def test_a_condition_that_leaves_nothing_says_so(space, encoder):
    found = search(space, "json", encoder=encoder, where="year > 3000")
    assert not len(found) and found.nothing_close and "No row meets" in repr(found)


def test_an_index_proposes_and_exact_cosines_decide(bare):
    q = np.asarray(bare.vectors[5], np.float32)

    class Sloppy:
        asked = 0

        def search(self, Q, k):
            Sloppy.asked += 1
            rows = np.arange(k)[None]
            rows[0, -1] = -1
            return np.zeros((1, k), np.float32), rows

    X = unit_rows(np.asarray(bare.vectors[:49], np.float64))
    wanted = np.argsort(-(X @ unit_rows(q[None].astype(np.float64))[0]))[:5].tolist()
    assert [hit.row for hit in search(bare, q, index=Sloppy(), k=5)] == wanted
    exact = search(bare, q, k=5)
    assert [hit.row for hit in search(bare, q, index=Sloppy(), k=5, exact=True)] == [hit.row for hit in exact]
    assert Sloppy.asked == 1
    assert 5 not in [hit.row for hit in search(bare, like=[5], index=Sloppy(), k=5)]


def test_more_hits_than_rows_gives_every_row_once(space, bare, encoder):
    assert sorted(hit.row for hit in search(space, "json", encoder=encoder, k=500)) == list(range(11))
    assert len(search(bare, like=[3], k=1000)) == 299


def test_another_subject_is_nothing_close_and_shared_words_are_close(space, encoder):
    assert not search(space, "parse json", encoder=encoder).nothing_close
    assert search(space, "lasagne oven", encoder=encoder).nothing_close
    assert "Nothing close" in repr(search(space, "lasagne oven", encoder=encoder))
    strict = Null.from_dict({**search_null(space), "nothing": [[2.0, 1.0]]})  # no cosine can reach this bar
    assert search(space, "json calendar", encoder=encoder, null=strict).nothing_close
    assert not search(space, "calendar date", encoder=encoder, null=strict).nothing_close


def test_a_space_that_was_never_studied_still_knows_when_nothing_is_close(tmp_path, encoder):
    space = codomain.write(
        tmp_path / "new.space", {"id": list("abc"), "text": TEXTS[:3]}, encoder.encode(TEXTS[:3]),
        encoder=encoder.identity, roles=Roles(text="text", id="id"),
    )  # fmt: skip
    assert ids(search(space, "read json", encoder=encoder))[0] == "b"
    assert not search(space, "read json", encoder=encoder).nothing_close
    assert search(space, "lasagne oven", encoder=encoder).nothing_close


def search_null(space):
    return space.parts.index.null


def test_another_encoder_is_refused_with_the_command(space):
    with pytest.raises(EncoderMismatch, match=r"codomain search .*texts\.space"):
        search(space, "json", encoder=BagOfWords("other"))


def test_a_question_without_the_encoder_names_it(space):
    with pytest.raises(UserError, match=r"resolve\('bag:words'\)"):
        search(space, "json")


def test_vectors_without_an_encoder_are_searched_by_words_or_not_by_text(bare, tmp_path):
    with pytest.raises(UserError, match="came without an encoder"):
        search(bare, "json")
    with pytest.raises(UserError, match="no index of words"):
        search(bare, "json", mode="words")
    keywords = Keywords.build([f"row {i}" for i in range(300)], tmp_path / "k.sqlite")
    found = search(bare, "17", keywords=keywords)
    assert ids(found) == [17] and "words only" in repr(found)
    keywords.close()


def test_a_question_the_encoder_makes_nothing_of_goes_by_words(space, encoder):
    found = search(space, "a", encoder=encoder)
    assert ids(found) == ["r3"] and "makes nothing" in repr(found)
    assert search(space, "qwertz", encoder=encoder).nothing_close


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (dict(), "nothing to look for"),
        (dict(query=""), "nothing to look for"),
        (dict(query=" ?! "), "nothing to look for"),
        (dict(like=[]), "nothing to look for"),
        (dict(unlike=[1]), "nothing to look for"),
        (dict(query=np.ones(5)), "6 numbers"),
        (dict(query=np.ones((2, 6))), "6 numbers"),
        (dict(query=["a"] * 6), "6 numbers"),
        (dict(query=np.zeros(6)), "no direction"),
        (dict(like=[1], unlike=[1]), "no direction"),
        (dict(query=np.full(6, np.nan)), "not finite"),
        (dict(query=np.ones(6), k=0), "k of 1 or more"),
        (dict(query=np.ones(6), k=2.5), "a whole number k"),
        (dict(query=np.ones(6), k="3"), "a whole number k"),
        (dict(query=[[1, 2], [3]]), "6 numbers"),
        (dict(query=np.ones(6, bool)), "6 numbers"),
        (dict(query=" -json"), "only what is not wanted"),
        (dict(query="json -zip", like=[1]), "came without an encoder|index of words"),
        (dict(like=5), "a list of ids"),
        (dict(query=np.ones(6), where=5), "is no text"),
        (dict(query=np.ones(6), where=""), "cannot be read"),
        (dict(query=np.ones(6), mode="magic"), "'both', 'meaning' or 'words'"),
        (dict(like="r1"), "a list of ids"),
        (dict(like=[999]), "999"),
        (dict(query=np.ones(6), where="nope > 1"), "no column 'nope'"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused_in_words(bare, call, words):
    with pytest.raises(UserError, match=words):
        search(bare, **call)


def test_records_and_pages_carry_the_row(space, encoder):
    found = search(space, "parse json", encoder=encoder, k=2)
    record = found.to_records()[0]
    assert record["id"] == "r0" and record["year"] == 2000 and 0 < record["percentile"] < 1
    assert {"score", "why", "text", "kind"} <= set(record)
    assert "r0" in repr(found) and "parse json file" in repr(found)
    assert "1 in " in repr(found)
    assert "<table>" in found._repr_html_() and "r0" in found._repr_html_()


def test_text_is_escaped_on_a_page(tmp_path, encoder):
    text = "<script>json</script>"
    space = codomain.write(
        tmp_path / "s.space", {"id": ["x", "y"], "text": [text, "zip"]}, encoder.encode(["json", "zip"]),
        encoder=encoder.identity, roles=Roles(text="text", id="id"),
    )  # fmt: skip
    assert "<script>" not in search(space, "json", encoder=encoder)._repr_html_()


def test_a_space_of_one_row_is_searched(tmp_path):
    space = codomain.write(tmp_path / "one.space", {"id": ["x"]}, np.ones((1, 3), np.float32), roles=Roles(id="id"))
    assert ids(search(space, np.ones(3))) == ["x"]
    assert ids(search(space, like=["x"])) == []


def test_hits_are_printed_in_the_order_of_the_score_shown(space, encoder):
    found = search(space, "read json file", encoder=encoder, k=6)
    joined = [hit.joined for hit in found]
    assert joined == sorted(joined, reverse=True) and 0 <= joined[-1] and joined[0] <= 2
    lines = repr(found).splitlines()
    assert lines[0].split() == ["id", "joined", "cosine", "as", "close", "row"]
    assert [line.split()[2] for line in lines[1:7]] == [f"{share:.2f}" for share in joined]
    assert [record["joined"] for record in found.to_records()] == joined
    alone = search(space, "read json file", encoder=encoder, mode="meaning")
    assert {hit.joined for hit in alone} == {None} and "joined" not in repr(alone)


def test_columns_that_were_asked_for_are_printed_beside_the_words_that_matched(space, encoder):
    found = search(space, "json", encoder=encoder, mode="words", show=["year", "kind"])
    assert "(json), year: 2000, kind: data]" in repr(found)
    with pytest.raises(UserError, match="no column 'colour' to show"):
        search(space, "json", encoder=encoder, mode="words", show=["colour"])


def test_what_matched_is_printed_where_it_stands_in_a_long_text(tmp_path):
    texts = ["word " * 60 + "needle in hay " + "more " * 60, "\x1b[31m needle \u202egnp.exe"]
    made = codomain.write(tmp_path / "l.space", {"text": texts}, np.eye(2, 3), encoder=None, roles=Roles(text="text"))
    with Keywords.build(texts, tmp_path / "k.sqlite") as keywords:
        printed = repr(search(made, "needle", mode="words", keywords=keywords))
    assert "needle in hay" in printed
    assert "\x1b" not in printed and "\u202e" not in printed
    assert r"\x1b[31m needle \u202egnp.exe" in printed
