"""Something to look at while the rest is encoded."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import codomain
from codomain.encode import resolve
from codomain.workbench import Settings
from codomain.workbench.first_look import FirstLook


def test_a_first_look_is_a_report_of_the_rows_so_far_and_is_written_once(
    docstrings: pa.Table, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = codomain.read(docstrings, text="text", label="package", id="id")
    maker = resolve("static:wordllama")
    done = np.random.default_rng(0).permutation(600)[:250]
    vectors = np.zeros((600, maker.identity.dim), dtype=np.float32)
    vectors[done] = maker.encode([docstrings["text"][int(row)].as_py() for row in done])
    report = tmp_path / "first.html"
    look = FirstLook(found, maker, report, Settings(), after=0.0)
    look(done[:100], vectors)
    assert not report.exists()  # too few rows to say anything
    look(done, vectors)
    assert "250 of 600 rows" in report.read_text()
    assert "first look" in capsys.readouterr().err
    report.unlink()
    look(done, vectors)
    assert not report.exists()
