"""The parts of a space: one schema names their files, types them, and still reads what the first release wrote."""

import ast
import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest

import codomain
from codomain.core import UserError
from codomain.core.catalogue import PACKAGE
from codomain.space import FLAGS, GroupsPart, LabelsPart, NeighborsPart, Part, Parts, ShrinkPart
from codomain.space.parts import ArrayFile, JsonFile, OtherFile
from codomain.space.schema import KINDS

SCHEMA = PACKAGE / "space" / "schema.py"
SOURCES = [path for path in sorted(PACKAGE.rglob("*.py")) if path != SCHEMA]


def declared(kind):
    """The files that a kind of part declares."""
    return {name: value for name, value in vars(kind).items() if isinstance(value, ArrayFile | JsonFile | OtherFile)}


FILES = {str(file) for kind in KINDS.values() for file in declared(kind).values()}


@pytest.fixture(scope="module")
def former(tmp_path_factory):
    """A space of 300 rows that codomain 0.1.0 studied, labelled and migrated, before there was a schema."""
    folder = tmp_path_factory.mktemp("former")
    with zipfile.ZipFile(Path(__file__).parent / "space_0.1.0.zip") as packed:
        packed.extractall(folder)
    return codomain.open(folder / "small.space")


def literals(tree):
    """Strings that are written out, and of those with braces the pieces between them."""
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def names_of_parts(tree):
    """Names of parts that are written out where a part is asked for."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and ast.unparse(node.value).split(".")[-1] == "parts":
            found.add(node.slice)
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in ("part", "put", "need"):
            found.update(node.args[:1])
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("parts.get"):
            found.update(node.args[:1])
        if isinstance(node, ast.Compare) and ast.unparse(node.comparators[0]).split(".")[-1] == "parts":
            found.add(node.left)
    return {node.value for node in found if isinstance(node, ast.Constant)} & set(KINDS)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_no_file_and_no_name_of_a_part_is_written_out_outside_the_schema(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert literals(tree) & (FILES | {"index.", "head-"}) == set()
    assert names_of_parts(tree) == set()


def test_a_name_that_is_written_out_is_seen():
    tree = ast.parse(
        "a = space.part('groups')['labels.npy']\nif 'map' in opened.parts: put(f'index.{kind}')\n"
        "space.parts.get('audit'), parts['health']"
    )
    assert literals(tree) & FILES == {"labels.npy"} and "index." in literals(tree)
    assert names_of_parts(tree) == {"groups", "map", "audit", "health"}


def test_every_part_has_its_attribute_and_reads_only_parts_that_are_listed_before_it():
    for at, (name, kind) in enumerate(KINDS.items()):
        assert kind.name == name and getattr(Parts, name) is kind
        assert declared(kind) and set(kind.reads) <= set(list(KINDS)[:at])


def test_a_study_makes_the_parts_that_the_schema_gives_to_it():
    from codomain.workbench.stages import STAGES

    assert {stage.part for stage in STAGES} == {kind for kind in KINDS.values() if kind.made_by == "study"}
    place = {stage.name: number for number, stage in enumerate(STAGES)}
    assert all(place[read] < place[stage.name] for stage in STAGES for read in stage.part.reads)


NEWER = {("shrink", "settings")}  # files that the first release did not write


def test_every_file_that_the_first_release_wrote_is_declared_and_of_its_type(former):
    assert set(former.parts) == set(KINDS)
    for name, part in former.parts.items():
        files = declared(KINDS[name])
        others = set(part.files) - set(map(str, files.values()))
        assert others == {file for file in part.files if file.startswith(("index.", "head-"))}
        newer = {attribute for attribute in files if (name, attribute) in NEWER}
        assert not any(files[attribute] in part for attribute in newer)
        for attribute, file in files.items():
            if attribute in newer:
                continue
            kind = {ArrayFile: np.ndarray, JsonFile: dict, OtherFile: Path}[type(file)]
            assert isinstance(getattr(part, attribute), kind), (name, attribute)


def test_what_the_first_release_wrote_reads_as_numpy_and_json_read_it(former):
    folder = next((former.path / "parts").glob("groups-*"))
    record = json.loads((folder / "groups.json").read_text())
    groups = former.parts.groups
    assert groups.groups == record["groups"] and groups.names == [group["name"] for group in record["groups"]]
    np.testing.assert_array_equal(groups.labels, np.load(folder / "labels.npy"))
    near = next((former.path / "parts").glob("neighbors-*"))
    np.testing.assert_array_equal(former.parts.neighbors.lists.scores, np.load(near / "scores.npy"))
    labels = next((former.path / "parts").glob("labels-*"))
    heads = {path.stem.removeprefix("head-"): np.load(path) for path in labels.glob("head-*.npy")}
    assert heads.keys() == former.parts.labels.head_arrays.keys() != set()
    for name, array in heads.items():
        np.testing.assert_array_equal(former.parts.labels.head_arrays[name], array)


def test_a_study_of_a_space_of_the_first_release_makes_only_those_stages_again_that_answer_otherwise_now(former):
    from codomain.workbench.stages import Settings, late_stages

    assert [stage.name for stage in late_stages(former, Settings.of(former))] == ["index", "audit"]


def test_the_index_and_the_head_of_a_space_of_the_first_release_work(former):
    from codomain.shrink import FittedRecipe
    from codomain.workbench.label.fit import load_head

    X = former.vectors[:]
    _, rows = FittedRecipe.load(former.parts.shrink.fitted).search(X[:50], k=1)
    assert (rows[:, 0] == np.arange(50)).mean() > 0.8  # a row is its own nearest, but for the rounding of codes
    probabilities = load_head(former.parts.labels).predict_proba(X)
    np.testing.assert_allclose(probabilities, former.parts.labels.probabilities, atol=1e-5)


def test_flags_are_single_bits_and_come_back_as_columns(former):
    assert [flag.bit for flag in FLAGS] == [1, 2, 4, 8, 16, 32, 64] and len({flag.column for flag in FLAGS}) == 7
    flags = former.parts.audit.flags
    for place, (column, flagged) in enumerate(former.parts.audit.flagged.items()):
        assert column == FLAGS[place].column
        np.testing.assert_array_equal(flagged, np.unpackbits(flags[:, None], axis=1, bitorder="little")[:, place])
    checks = former.parts.audit.checks
    assert [check["kind"] for check in checks] == [flag.kind for flag in FLAGS[:4]]  # version 0.1 knew no more
    counts = [rows.sum() for rows in former.parts.audit.flagged.values()]
    assert counts == [check["count"] for check in checks] + [0, 0, 0]


def test_parts_are_fresh_until_rows_are_added(former, tmp_path):
    copy = codomain.open(shutil.copytree(former.path, tmp_path / "copy.space"))
    assert all(part.fresh for part in copy.parts.values())
    row = {name: copy.take([0])[name].to_pylist() for name in copy.columns} | {"id": ["new"]}
    grown = copy.append(row, copy.vectors[:1], encoder=copy.encoder)
    assert not any(part.fresh for part in grown.parts.values())
    again = grown.put(NeighborsPart.name, {"a.npy": np.eye(2)}, made_from=f"{grown.fingerprint}-x")
    assert [name for name, part in again.parts.items() if part.fresh] == ["neighbors"]
    assert all(part.fresh for part in again.rollback(copy.generation).parts.values())


def test_a_part_that_is_missing_names_its_command(former):
    bare = Parts({}, former.path)
    for name, command in (("groups", "study"), ("labels", "label"), ("migration", "migrate")):
        with pytest.raises(UserError, match=rf"(?s)no part '{name}'.*codomain {command} "):
            getattr(bare, name)
    assert bare.find(GroupsPart) is None and former.parts.find(GroupsPart) is former.parts["groups"]


def test_what_a_stage_returns_reads_like_what_is_sealed():
    record = {"groups": [], "coverage": 0.0, "how": ""}
    part = GroupsPart({GroupsPart.labels: np.arange(3), GroupsPart.record: record})
    assert part.fresh and part.name == "groups" and part.groups == [] and part.labels.tolist() == [0, 1, 2]
    assert part.bytes == 0 and part.made_from == "" and part.versions == {}
    with pytest.raises(UserError, match=r"no file 'strength\.npy'.*\n.*labels\.npy"):
        part.strength  # noqa: B018


def test_a_form_without_a_winner_has_no_index():
    assert ShrinkPart({ShrinkPart.certificate: {"winner": None}}).fitted == {}
    assert ShrinkPart.index_of([ShrinkPart.index("faiss"), "recipe.json"]) == "index.faiss"


def test_a_part_of_another_program_is_plain(former):
    part = former.put("mine", {"x.json": [1]}, made_from="elsewhere").parts["mine"]
    assert type(part) is Part and part["x.json"] == [1] and not part.fresh and LabelsPart.given not in part
