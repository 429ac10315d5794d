import numpy as np

from codomain.encode import resolve
from codomain.guard import audit
from codomain.search import neighbors


def test_an_audit_of_an_array_is_that_of_its_lists(docstrings):
    texts, labels = docstrings["text"].to_pylist(), docstrings["kind"].to_pylist()
    texts[7] = texts[3]
    X = resolve("static:wordllama").encode(texts)
    found, expected = audit(X, texts=texts, labels=labels), audit(X, neighbors(X), texts=texts, labels=labels)
    np.testing.assert_array_equal(found.flags, expected.flags)
    assert found.to_dict()["checks"][0] == expected.to_dict()["checks"][0]
    assert found.flags[7] & 1 and str(found).startswith("Copies: ")
    assert "<table>" in found._repr_html_()


def test_a_list_of_lists_is_an_array():
    assert audit([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]).flags.tolist() == [0, 0, 1]
