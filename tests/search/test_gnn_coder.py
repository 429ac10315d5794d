"""What is true of syntax trees as arrays, of the network over them and of angular margins, and of nothing else."""

import ast
from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codomain.core import UserError, one_thread
from codomain.search import GNNCoder, Trees, mean_angular_margin, syntax_trees
from codomain.search.gnn_coder.net import best_nodes, graph_vectors, neighbour_means, start_weights
from codomain.search.gnn_coder.trees import TYPES
from codomain.search.shared import angular

torch = pytest.importorskip("torch")

SOURCES = [
    "def f(x, *rest, key=None):\n    for y in rest:\n        x += y[key]\n    return g(x)",
    "x = 1",
    "class A(B):\n    async def run(self):\n        await self.run()\n        return 'a b'",
]


@pytest.fixture(autouse=True, scope="module")
def _quick():
    with one_thread():  # for networks this small more threads only wait for each other
        yield


def encode(texts):
    """Features that depend on the text alone."""
    return np.array([np.random.default_rng(list(text.encode())).normal(size=16) for text in texts])


def grown(seed, sizes):
    """Random trees: each node hangs below an earlier one, and the nodes are stored in no order."""
    rng = np.random.default_rng(seed)
    parents = []
    for size in sizes:
        new = rng.permutation(size)
        below = np.full(size, -1)
        for node in range(1, size):
            below[new[node]] = new[rng.integers(node)]
        parents.append(below)
    n = sum(sizes)
    content, types = rng.integers(0, 9, n), rng.integers(0, 4, n)
    return Trees(rng.normal(size=(9, 5)), content, types, np.concatenate(parents), np.cumsum([0, *sizes]))


def shuffled(trees, seed):
    """The same trees, the nodes of each in another order."""
    rng = np.random.default_rng(seed)
    content, types, parents = (np.empty_like(part) for part in (trees.content, trees.types, trees.parents))
    for at, end in zip(trees.offsets, trees.offsets[1:], strict=False):
        new = rng.permutation(end - at)
        content[at + new], types[at + new] = trees.content[at:end], trees.types[at:end]
        parents[at + new] = [new[parent] if parent >= 0 else -1 for parent in trees.parents[at:end]]
    return Trees(trees.contents, content, types, parents, trees.offsets)


def drawn_weights(trees, seed, n_hidden=6, n_layers=2):
    """Weights in which nothing is zero, so that every part counts."""
    rng = np.random.RandomState(seed)
    start = start_weights(trees, 3, 4, n_hidden, n_layers, rng)
    return {name: torch.from_numpy(rng.normal(size=part.shape).astype(np.float32)) for name, part in start.items()}


def slowly(weights, trees, n_layers, share):
    """The definition: one tree, dense matrices, sorted lists."""
    W = {name: part.numpy().astype(float) for name, part in weights.items()}
    answers = []
    for at, end in zip(trees.offsets, trees.offsets[1:], strict=False):
        links = np.zeros((end - at, end - at))
        for node, parent in enumerate(trees.parents[at:end]):
            if parent >= 0:
                links[node, parent] = links[parent, node] = 1
        children = np.array([sum(trees.parents[at:end] == node) for node in range(end - at)])
        given = trees.contents[trees.content[at:end]]
        H = given / np.linalg.norm(given, axis=1, keepdims=True) @ W["content"] + W["type"][trees.types[at:end]]
        answer = 0
        for layer in range(n_layers):
            mean = links / np.maximum(links.sum(axis=1, keepdims=True), 1)
            H = np.maximum(H @ W[f"own_{layer}"] + mean @ H @ W[f"near_{layer}"] + W[f"shift_{layer}"], 0)
            score = (H @ W[f"own_score_{layer}"] + mean @ H @ W[f"near_score_{layer}"])[:, 0] + np.log(1 + children)
            best = sorted(range(len(H)), key=lambda node: (-round(score[node], 4), node))
            kept = sorted(best[: int(np.ceil(round(share * len(H), 6)))])
            H = H[kept] / (1 + np.exp(-score[kept]))[:, None]
            links, children = links[np.ix_(kept, kept)], children[kept]
            answer = answer + np.concatenate([H.mean(axis=0), H.max(axis=0)])
        answers.append(answer)
    return np.array(answers)


@pytest.mark.parametrize("source", SOURCES)
def test_a_tree_has_the_edges_that_pythons_own_walk_finds(source):
    trees = syntax_trees([source], encode)

    def edges(node):
        for child in ast.iter_child_nodes(node):
            if not isinstance(child, ast.expr_context):
                yield type(node).__name__, type(child).__name__
                yield from edges(child)

    names = [TYPES[number] for number in trees.types]
    found = [(names[above], name) for name, above in zip(names, trees.parents, strict=True) if above >= 0]
    assert found == list(edges(ast.parse(source)))
    assert (trees.parents == -1).sum() == 1


def test_nodes_say_their_names_and_constants_and_else_their_type():
    seen = []
    syntax_trees(SOURCES, lambda texts: seen.append(texts) or encode(texts))
    assert len(seen) == 1
    texts = seen[0]
    assert len(set(texts)) == len(texts)  # each is encoded once
    assert {"f", "rest", "key", "None", "1", "A", "run", "self", "a b", "For", "Return", "Await"} <= set(texts)
    assert not {"Load", "Name", "FunctionDef", "ClassDef"} & set(texts)


def test_every_type_of_node_of_this_python_has_a_number_of_its_own():
    assert len(set(TYPES)) == len(TYPES)
    kinds = [ast.mod, ast.stmt, ast.expr, ast.boolop, ast.operator, ast.unaryop, ast.cmpop, ast.pattern]
    alone = {"alias", "arg", "arguments", "comprehension", "ExceptHandler", "keyword", "match_case", "withitem"}
    old = {"Num", "Str", "Bytes", "NameConstant", "Ellipsis", "Suite"}  # no parser gives these any more
    assert {kind.__name__ for group in kinds for kind in group.__subclasses__()} - old | alone <= set(TYPES)


def test_an_indented_method_is_the_tree_of_the_method_alone():
    source = 'def f(self):\n    text = """one\ntwo"""\n    return text\n'
    indented = "\n    " + source.replace("\n    ", "\n        ")
    one, other = syntax_trees([source], encode), syntax_trees([indented], encode)
    for name in ("contents", "content", "types", "parents"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


@pytest.mark.parametrize("bad", ["def f(:", "x = 1\n  y", None, "a\0b", "(" * 3000 + ")" * 3000])
def test_a_source_that_is_no_python_is_refused_by_its_row(bad):
    with pytest.raises(UserError, match="Source 2 cannot be parsed"):
        syntax_trees([*SOURCES[:2], bad], encode)


def test_a_lone_string_and_no_source_are_refused():
    with pytest.raises(UserError, match="list of sources"):
        syntax_trees("x = 1", encode)
    with pytest.raises(UserError, match="at least one"):
        syntax_trees([], encode)


def test_a_tree_deeper_than_pythons_own_stack_of_calls_is_read():
    trees = syntax_trees(["x" + ".a" * 900], encode)
    assert len(trees.types) == 903
    assert graph_vectors(drawn_weights(trees, 0, n_hidden=3), trees, 1, 0.5).shape == (1, 6)


@given(seed=st.integers(0, 500), sizes=st.lists(st.integers(1, 8), min_size=1, max_size=5), data=st.data())
def test_taken_trees_are_the_trees_that_were_asked_for(seed, sizes, data):
    trees = grown(seed, sizes)
    rows = data.draw(st.lists(st.integers(0, len(sizes) - 1), min_size=1, max_size=6))
    taken = trees.take(rows)
    assert len(taken) == len(rows)
    for place, row in enumerate(rows):
        here, there = (slice(*each.offsets[at : at + 2]) for each, at in ((taken, place), (trees, row)))
        for name in ("content", "types", "parents"):
            np.testing.assert_array_equal(getattr(taken, name)[here], getattr(trees, name)[there])


@pytest.mark.parametrize(
    ("part", "value", "message"),
    [
        ("content", [0, 1, 9], "Node 2 has content 9"), ("content", [0, -1, 0], "Node 1 has content -1"),
        ("types", [0, -1, 0], "Node 1 has types -1"), ("parents", [-1, 2, -1], "Node 1 has parents 2"),
        ("parents", [-1, 0, -2], "Node 2 has parents -2"), ("types", [0.0, 1.0, 2.0], "3 whole numbers"),
        ("content", [0], "3 whole numbers"), ("offsets", [0, 2], "rise from 0 to 3"),
    ],
)  # fmt: skip
def test_arrays_that_make_no_trees_are_refused(part, value, message):
    good = {"content": [0, 1, 0], "types": [0, 1, 2], "parents": [-1, 0, -1], "offsets": [0, 2, 3]}
    arrays = {name: np.array(given) for name, given in (good | {part: value}).items()}
    with pytest.raises(UserError, match=message):
        Trees(np.eye(2), **arrays)


@given(seed=st.integers(0, 500), size=st.integers(1, 12))
def test_messages_equal_a_product_with_the_dense_adjacency(seed, size):
    trees = grown(seed, [size])
    links = np.zeros((size, size))
    for node in np.flatnonzero(trees.parents >= 0):
        links[node, trees.parents[node]] = links[trees.parents[node], node] = 1
    H = np.random.default_rng(seed).normal(size=(size, 3)).astype(np.float32)
    dense = np.diag(1 / np.maximum(links.sum(axis=1), 1)) @ links @ H
    np.testing.assert_allclose(neighbour_means(torch.from_numpy(H), trees.parents), dense, atol=1e-5)


@given(
    seed=st.integers(0, 500), sizes=st.lists(st.integers(1, 9), min_size=1, max_size=4), n_layers=st.integers(1, 3),
    share=st.sampled_from([0.1, 0.5, 0.7, 1.0]),
)  # fmt: skip
def test_a_batch_equals_the_definition_tree_by_tree(seed, sizes, n_layers, share):
    trees = grown(seed, sizes)
    weights = drawn_weights(trees, seed, n_layers=n_layers)
    expected = slowly(weights, trees, n_layers, share)
    scale = np.abs(expected).max() + 1
    np.testing.assert_allclose(graph_vectors(weights, trees, n_layers, share) / scale, expected / scale, atol=2e-5)


@given(seed=st.integers(0, 500), sizes=st.lists(st.integers(1, 12), min_size=1, max_size=4))
def test_the_order_in_which_nodes_are_stored_changes_nothing(seed, sizes):
    trees = grown(seed, sizes)
    # Unlike contents, so that no two nodes tie.
    trees = Trees(np.random.default_rng(seed).normal(size=(len(trees.types), 5)), np.arange(len(trees.types)),
                  trees.types, trees.parents, trees.offsets)  # fmt: skip
    weights = drawn_weights(trees, seed, n_hidden=32)  # so many that no node is silent in all, like another
    one, other = (graph_vectors(weights, each, 2, 1.0) for each in (trees, shuffled(trees, seed + 1)))
    np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-3)
    some = [graph_vectors(weights, each, 2, 0.5) for each in (trees, shuffled(trees, seed + 1))]
    np.testing.assert_allclose(*some, rtol=1e-3, atol=1e-3)


def test_before_training_pooling_keeps_the_nodes_with_most_children():
    # The root has three children, its second child two, the others none: half of six is those two and the next.
    trees = Trees(np.eye(6), np.arange(6), np.zeros(6, int), np.array([-1, 0, 0, 0, 2, 2]), np.array([0, 6]))
    weights = {k: torch.from_numpy(v) for k, v in start_weights(trees, 2, 2, 6, 1, np.random.RandomState(0)).items()}
    weights |= {"content": torch.eye(6), "own_0": torch.eye(6), "near_0": torch.zeros(6, 6)}
    graph = graph_vectors(weights, trees, 1, 0.5)[0].numpy()
    gates = np.array([4 / 5, 1 / 2, 3 / 4, 0, 0, 0])  # of log(1 + n), the logistic function is (1 + n) / (2 + n)
    np.testing.assert_allclose(graph, [*gates / 3, *gates], atol=1e-6)


def test_a_learned_score_can_outvote_the_children():
    trees = Trees(np.eye(3), np.arange(3), np.zeros(3, int), np.array([-1, 0, 0]), np.array([0, 3]))
    weights = {k: torch.from_numpy(v) for k, v in start_weights(trees, 2, 2, 3, 1, np.random.RandomState(0)).items()}
    weights |= {"content": torch.eye(3), "own_0": torch.eye(3), "near_0": torch.zeros(3, 3)}
    weights["own_score_0"] = torch.tensor([[0.0], [0.0], [5.0]])
    graph = graph_vectors(weights, trees, 1, 0.3)[0].numpy()
    np.testing.assert_array_equal(graph[:3] > 0, [False, False, True])


@given(sizes=st.lists(st.integers(1, 40), min_size=1, max_size=5), tenths=st.integers(1, 10), seed=st.integers(0, 99))
def test_of_each_tree_its_share_stays_and_none_that_stays_scores_below_one_that_goes(sizes, tenths, seed):
    scores, tree = np.random.default_rng(seed).integers(0, 9, sum(sizes)), np.repeat(np.arange(len(sizes)), sizes)
    kept = best_nodes(scores, tree, tenths / 10)
    np.testing.assert_array_equal(np.bincount(tree[kept]), [-(-size * tenths // 10) for size in sizes])
    gone = np.setdiff1d(np.arange(len(tree)), kept)
    for one in range(len(sizes)):
        stay, go = kept[tree[kept] == one], gone[tree[gone] == one]
        assert len(go) == 0 or (scores[stay].min(), -stay[scores[stay] == scores[stay].min()].max()) >= max(
            (scores[node], -node) for node in go
        )


def nested(rng, n):
    """The same names in each source, called inside each other in one of six orders, and what the order is."""
    orders = list(permutations(("load", "sort", "save")))
    which = rng.integers(len(orders), size=n)
    return [f"def f(x):\n    return {'('.join(orders[each])}(x)))" for each in which], which


def test_it_learns_what_only_the_tree_tells():
    rng = np.random.default_rng(0)
    descriptions = np.eye(6)
    (sources, which), (fresh, truth) = nested(rng, 300), nested(rng, 60)
    # A sequence embedding that counts words: it is the same for all.
    X, Q = (np.tile(encode(["load sort save x f"]), (len(each), 1)) for each in (sources, fresh))
    model = GNNCoder(32, epochs=15, share_kept=0.8, random_state=0)
    codes = model.fit(X, descriptions[which], trees=syntax_trees(sources, encode)).transform(
        Q, trees=syntax_trees(fresh, encode)
    )
    assert np.mean((codes @ descriptions.T).argmax(axis=1) == truth) > 0.95
    flat = GNNCoder(32, epochs=15, random_state=0).fit(X, descriptions[which]).transform(Q)
    assert np.mean((flat @ descriptions.T).argmax(axis=1) == truth) < 0.4
    assert model.losses_[-1] < model.losses_[0]


def test_vectors_have_length_one_and_do_not_depend_on_the_other_rows():
    X, y = encode(SOURCES), encode(["add", "set", "run"])
    model = GNNCoder(8, epochs=3, random_state=0).fit(X, y, trees=syntax_trees(SOURCES, encode))
    many = SOURCES * 100  # more than a block
    codes = model.transform(encode(many), trees=syntax_trees(many, encode))
    np.testing.assert_allclose(np.linalg.norm(codes, axis=1), 1, atol=1e-6)
    for row, source in enumerate(SOURCES):
        one = model.transform(X[row : row + 1], trees=syntax_trees([source], encode))
        np.testing.assert_allclose(codes[row::3], np.repeat(one, 100, axis=0), atol=1e-5)


def test_a_type_that_training_did_not_have_adds_nothing():
    trees = syntax_trees(SOURCES[:1], encode)
    weights = drawn_weights(trees, 0)
    far = Trees(trees.contents, trees.content, np.full_like(trees.types, 10**6), trees.parents, trees.offsets)
    none = weights | {"type": torch.zeros_like(weights["type"])}
    np.testing.assert_allclose(graph_vectors(weights, far, 2, 0.5), graph_vectors(none, trees, 2, 0.5), atol=1e-4)


def test_trees_that_do_not_go_with_the_rows_are_refused():
    X, y, trees = encode(SOURCES), encode(["add", "set", "run"]), syntax_trees(SOURCES, encode)
    with pytest.raises(UserError, match="requires y"):
        GNNCoder().fit(X, None, trees=trees)
    with pytest.raises(UserError, match="3 trees for 2 rows"):
        GNNCoder().fit(X[:2], y[:2], trees=trees)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        GNNCoder().fit(X, y[:2], trees=trees)
    model = GNNCoder(4, epochs=1).fit(X, y, trees=trees)
    with pytest.raises(UserError, match="without trees"):
        model.transform(X)
    with pytest.raises(UserError, match="16, as in fit"):
        model.transform(X, trees=syntax_trees(SOURCES, lambda texts: encode(texts)[:, :5]))
    with pytest.raises(UserError, match="with trees"):
        GNNCoder(4, epochs=1).fit(X, y).transform(X, trees=trees)


@given(seed=st.integers(0, 500), n=st.integers(2, 12), d=st.integers(1, 6))
def test_the_angular_margin_is_its_definition_pair_by_pair(seed, n, d):
    Z = np.random.default_rng(seed).normal(size=(n, d)) * 7
    slow = []
    for a, b in combinations(Z, 2):
        cosine = a @ b / np.linalg.norm(a) / np.linalg.norm(b)
        slow.append(abs(np.arccos(np.clip(cosine, -1, 1)) - np.pi / 2))
    found = mean_angular_margin(Z)
    np.testing.assert_allclose(found.value, np.mean(slow), atol=1e-7)
    assert (found.low, found.high, found.n_pairs) == (found.value, found.value, n * (n - 1) // 2)


def test_the_angular_margin_is_none_at_right_angles_and_a_right_angle_on_one_line():
    assert mean_angular_margin(5 * np.eye(7)).value == 0
    line = np.outer([1, 2, -3], [0.6, 0.8])
    np.testing.assert_allclose(mean_angular_margin(line).value, np.pi / 2, atol=1e-7)
    one_cap = np.random.default_rng(0).normal(size=(50, 8)) + 3
    assert mean_angular_margin(one_cap).value > mean_angular_margin(one_cap - 3).value


def test_drawn_pairs_hold_the_mean_of_all_pairs_in_about_95_of_100_draws(monkeypatch):
    Z = np.random.default_rng(0).normal(size=(120, 5))
    Z[:40] += 3  # a third is crowded, so that it matters which rows are drawn
    whole = mean_angular_margin(Z)
    drawn = [mean_angular_margin(Z, max_pairs=400, random_state=seed) for seed in range(300)]
    assert {each.n_pairs for each in drawn} == {400}
    assert 0.91 < np.mean([each.low <= whole.value <= each.high for each in drawn]) < 0.985
    assert mean_angular_margin(np.eye(40), max_pairs=700, random_state=0).value == 0  # no row meets itself
    monkeypatch.setattr(angular, "_BLOCK", 5)  # one pair at a time
    assert mean_angular_margin(Z, max_pairs=400, random_state=0) == pytest.approx(drawn[0], abs=1e-12)


def test_an_angle_without_a_direction_is_refused():
    with pytest.raises(UserError, match="Row 1 is zero"):
        mean_angular_margin([[1.0, 0.0], [0.0, 0.0]])
    with pytest.raises(UserError, match="max_pairs=1"):
        mean_angular_margin(np.eye(2), max_pairs=1)
