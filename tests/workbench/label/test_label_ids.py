"""Ids in label files are texts as they stand: 1.10 is not 1.1, and 007 is not 7."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import codomain
from codomain.core import UserError
from codomain.space import Roles
from codomain.workbench.label.file import from_file


def space_of(path, ids):
    rows = {"id": ids, "text": [f"words {n}" for n in range(len(ids))]}
    return codomain.write(path, rows, np.eye(len(ids), dtype=np.float32), roles=Roles(text="text", id="id"))


def labels(tmp_path, ids, file):
    (tmp_path / "labels.csv").write_text(file)
    given = from_file(space_of(tmp_path / "s", ids), tmp_path / "labels.csv")
    return {ids[row]: label for row, label in zip(given.rows.tolist(), given.labels.tolist(), strict=True)}


@pytest.mark.parametrize("other", ["1.10", "01.1", "1.1e0", "+1.1", " 1.1"])
def test_a_label_of_another_spelling_does_not_land_on_an_id(tmp_path, other):
    assert labels(tmp_path, ["1.1", "x"], f"id,label\n{other},net\nx,graph\n") == {"x": "graph"}


def test_ids_beyond_64_bits_stay_apart(tmp_path):
    ids = ["18446744073709551617", "18446744073709551618"]
    assert labels(tmp_path, ids, f"id,label\n{ids[1]},net\n") == {ids[1]: "net"}


def test_whole_numbers_find_their_rows(tmp_path):
    assert labels(tmp_path, [1, 2, 10], "id,label\n2,net\n10,graph\n") == {2: "net", 10: "graph"}


def test_floats_as_ids_of_a_parquet_file_are_refused(tmp_path):
    pq.write_table(pa.table({"id": [1.1, 2.0], "label": ["net", "graph"]}), tmp_path / "a.parquet")
    with pytest.raises(UserError, match="ids are whole numbers or strings"):
        from_file(space_of(tmp_path / "s", ["1.1", "2"]), tmp_path / "a.parquet")


def test_a_damaged_label_file_is_a_plain_error(tmp_path):
    (tmp_path / "a.parquet").write_bytes(b"PAR1 nonsense")
    with pytest.raises(UserError, match=r"cannot be read as \.parquet"):
        from_file(space_of(tmp_path / "s", ["a", "b"]), tmp_path / "a.parquet")
