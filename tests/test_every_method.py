"""What holds for every method, found by walking the package."""

import inspect
import pickle
import re

import numpy as np
import pytest
from numpydoc.docscrape import ClassDoc
from numpydoc.validate import validate
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import estimator_checks_generator

import rerun
from codomain.core import Method, Paper
from codomain.core.catalogue import methods
from codomain.core.claims import Claim, NoClaim

ENTRIES = methods()
OF_CLASSES = [entry for entry in ENTRIES if isinstance(entry.method, type) and issubclass(entry.method, Method)]
CLASSES = [entry.method for entry in OF_CLASSES]
VERBS = ("transform", "predict", "predict_proba", "decision_function", "score_samples", "inverse_transform")
INHERITED = {"n_features_in_", "feature_names_in_", "n_features_out_"}
# Not asked of a docstring: a See Also section.
UNASKED = {"SA01"}

each_class = pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.paper.slug)
each_entry = pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: f"{entry.room}/{entry.paper.slug}")


def rows(dtype=np.float64):
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], 10)
    return (rng.normal(size=(20, 3)) + 3 * y[:, None]).astype(dtype), y


def answers(fitted, X):
    """Everything a fitted method says: its arrays, its numbers and what its verbs give."""
    said = {name: value for name, value in vars(fitted).items() if name.endswith("_") and not name.startswith("_")}
    said |= {verb: getattr(fitted, verb)(X) for verb in VERBS[:-1] if hasattr(fitted, verb)}
    return {name: value for name, value in said.items() if isinstance(value, np.ndarray | float | int)}


def assert_same(one, two):
    assert one.keys() == two.keys()
    for name in one:
        np.testing.assert_array_equal(one[name], two[name], err_msg=name)


def test_the_walk_finds_methods():
    assert {"relative-representations", "procrustes"} <= {cls.paper.slug for cls in CLASSES}


def pytest_generate_tests(metafunc):
    """All of scikit-learn's checks of each method that a change can have reached."""
    if "estimator" in metafunc.fixturenames:
        chosen = rerun.checked(OF_CLASSES, metafunc.config.getoption("rerun"), rerun.moment())
        cases = [case for entry in OF_CLASSES for case in _checks(entry, entry in chosen)]
        metafunc.parametrize(("estimator", "check"), cases)


def _checks(entry, chosen):
    if not chosen:
        return [pytest.param(None, None, id=entry.paper.slug, marks=pytest.mark.skip(reason=rerun.FRESH))]
    cls, cases = entry.method, []
    for estimator, check in estimator_checks_generator(cls(**cls.small)):
        name = check.func.__name__
        marks = [pytest.mark.xfail(reason=cls.excused[name])] if name in cls.excused else []
        cases.append(pytest.param(estimator, check, id=f"{entry.paper.slug}-{name}", marks=marks))
    return cases


def test_it_is_a_scikit_learn_estimator(estimator, check):
    check(estimator)


@each_class
def test_its_tags_say_whether_fit_does_without_y(cls):
    needed = inspect.signature(cls.fit).parameters["y"].default is inspect.Parameter.empty
    assert get_tags(cls(**cls.small)).target_tags.required == needed


@each_class
def test_its_rules_are_its_signature(cls):
    assert list(cls.rules) == list(inspect.signature(cls).parameters)
    assert set(cls.small) <= set(cls.rules)


@each_class
def test_its_defaults_obey_its_rules(cls):
    for name, rule in cls.rules.items():
        assert rule.allows(inspect.signature(cls).parameters[name].default), name


@each_class
def test_every_rule_bites(cls):
    X, y = rows()
    for name, rule in cls.rules.items():
        for bad in rule.refuses:
            with pytest.raises(ValueError, match=re.escape(f"{name} must be {rule.words}")):
                cls(**{**cls.small, name: bad}).fit(X, y)


@each_class
def test_the_lowest_allowed_values_work(cls):
    X, y = rows()
    for name, rule in cls.rules.items():
        if rule.lowest is not None:
            assert answers(cls(**{**cls.small, name: rule.lowest}).fit(X, y), X), name


@each_class
def test_only_the_first_parameter_is_positional(cls):
    kinds = [parameter.kind for parameter in inspect.signature(cls).parameters.values()]
    assert all(kind is inspect.Parameter.KEYWORD_ONLY for kind in kinds[1:])


@each_entry
def test_its_docstrings_are_whole(entry):
    path = f"{entry.method.__module__}.{entry.object}"
    errors = validate(path)["errors"]
    if isinstance(entry.method, type):
        own = [name for name, value in vars(entry.method).items() if inspect.isfunction(value) and name[0] != "_"]
        errors += [error for name in own for error in validate(f"{path}.{name}")["errors"] if error[0] == "GL08"]
    assert [error for error in errors if error[0] not in UNASKED] == []


@each_class
def test_its_parameters_and_fitted_attributes_are_documented(cls):
    X, y = rows()
    doc = ClassDoc(cls)
    fitted = cls(**cls.small).fit(X, y)
    found = {name for name in vars(fitted) if name.endswith("_") and not name.startswith("_")} - INHERITED
    told = {attribute.name for attribute in doc["Attributes"]}
    assert found <= told
    assert all(hasattr(fitted, name) for name in told)
    assert [parameter.name for parameter in doc["Parameters"]] == list(cls.rules)


@each_class
def test_float32_stays_float32(cls):
    X, y = rows(np.float32)
    for name, answer in answers(cls(**cls.small).fit(X, y), X).items():
        if isinstance(answer, np.ndarray) and answer.dtype.kind == "f":
            assert answer.dtype == np.float32, name


@each_class
def test_its_input_is_not_written_to(cls):
    X, y = rows()
    before = X.copy(), y.copy()
    for part in (X, y):
        part.flags.writeable = False
    answers(cls(**cls.small).fit(X, y), X)
    np.testing.assert_array_equal(X, before[0])
    np.testing.assert_array_equal(y, before[1])


@each_class
def test_the_same_seed_gives_the_same_answer(cls):
    X, y = rows()
    assert_same(*(answers(cls(**cls.small).fit(X, y), X) for _ in range(2)))


@each_class
def test_it_pickles(cls):
    X, y = rows()
    fitted = cls(**cls.small).fit(X, y)
    assert_same(answers(fitted, X), answers(pickle.loads(pickle.dumps(fitted)), X))


@each_entry
def test_its_file_is_named_after_its_paper(entry):
    assert entry.method.__module__ == entry.module == f"codomain.{entry.room}.{entry.slug.replace('-', '_')}"
    assert entry.method.__name__ == entry.object
    assert entry.method.paper == Paper.get(entry.slug)


@each_entry
def test_its_docstring_cites_its_paper_as_the_record_does(entry):
    assert entry.paper.cite in " ".join(inspect.getdoc(entry.method).split())


@each_entry
def test_it_has_a_claim_or_says_why_not(entry):
    assert isinstance(entry.claim, Claim | NoClaim)
