"""The notebook of the guide runs from its first cell to its last, and is kept without outputs."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PATH = ROOT / "docs/guide/five-minutes.ipynb"


def test_it_is_kept_without_outputs():
    cells = [cell for cell in json.loads(PATH.read_text("utf-8"))["cells"] if cell["cell_type"] == "code"]
    assert len(cells) > 8
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in cells)


def test_its_links_lead_to_guides():
    links = re.findall(r"\]\((.*?)\)", PATH.read_text("utf-8"))
    assert links and all((PATH.parent / link).exists() for link in links)


@pytest.mark.slow
def test_it_runs_and_shows_what_it_promises(tmp_path):
    nbformat = pytest.importorskip("nbformat", reason="of the extra dev")
    nbclient = pytest.importorskip("nbclient", reason="of the extra dev")
    notebook = nbformat.read(PATH, as_version=4)
    client = nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}})
    client.execute()
    shown = {}
    for cell in notebook.cells:
        if cell.cell_type == "code":
            data = [one["data"] for one in cell.outputs if "data" in one]
            shown[cell.source.splitlines()[-1]] = {kind for one in data for kind in one}
    assert (
        "text/html" in shown["study"] and "text/html" in shown["study.groups"] and "text/html" in shown["study.audit"]
    )
    assert "text/html" in shown['study.search("read a compressed file", k=5)']
    pictures = {line for line, kinds in shown.items() if "image/png" in kinds}
    assert pictures == {'ax = study.plot_map(color="kind")', "ax = study.plot_front()", "ax = study.plot_health()"}
    length = next(cell for cell in notebook.cells if cell.source.endswith("len(study.space)"))
    assert length.outputs[-1]["data"]["text/plain"] == "420"
    assert (tmp_path / "five-minutes.space/HEAD").is_file()
