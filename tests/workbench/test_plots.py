"""Plots: what is drawn is what the study found."""

import sys

import matplotlib
import numpy as np
import pandas as pd
import pytest

import codomain
from codomain.core import UserError
from codomain.workbench import label_space, plot_front, plot_health, plot_learning_curve, plot_map

matplotlib.use("Agg")


@pytest.fixture(scope="module")
def space(docstrings, tmp_path_factory):
    folder = tmp_path_factory.mktemp("plots")
    rows = docstrings.select(["id", "kind", "text"]).to_pandas()
    rows["length"] = rows["text"].str.len()
    space = codomain.study(rows, label="kind", encoder="static:wordllama", space=folder / "s.space").space
    label_space(space.path)
    return codomain.open(space.path)


@pytest.fixture(autouse=True)
def close():
    yield
    matplotlib.pyplot.close("all")


def test_the_map_has_a_dot_a_row_where_the_study_put_it(space):
    ax = space.plot_map()
    np.testing.assert_allclose(ax.collections[0].get_offsets(), space.parts.map.xy, rtol=1e-6)
    written = [text.get_text().removesuffix("…") for text in ax.texts]
    assert 3 < len(written) <= 12 and written[0] == space.parts.groups.names[0]
    assert all(any(name.startswith(word) for name in space.parts.groups.names) for word in written)
    colors = {tuple(color) for color in ax.collections[0].get_facecolors()}
    assert len(colors) == min(12, len(space.groups))


def test_dots_are_colored_by_a_column(space):
    kinds = plot_map(space, color="kind").get_legend().get_texts()
    assert {text.get_text() for text in kinds} == set(space.rows(["kind"])["kind"].to_pylist())
    scale = plot_map(space, color="length").collections[0].get_array()
    assert scale.tolist() == space.rows(["length"])["length"].to_pylist()
    with pytest.raises(UserError, match="no column 'colour'"):
        plot_map(space, color="colour")


def test_the_front_has_every_form_that_was_tried(space):
    ax, certificate = plot_front(space), space.parts.shrink.certificate
    drawn = {(float(x), float(y)) for line in ax.lines if line.get_marker() == "o" for x, y in line.get_xydata()}
    assert drawn == {(float(row["bytes"]), row["recall"]) for row in certificate["rows"]}
    star = next(line for line in ax.lines if line.get_marker() == "*")
    assert star.get_xdata()[0] == certificate["rows"][certificate["winner"]]["bytes"]


def test_where_no_form_is_proved_none_is_marked(tmp_path):
    X = np.random.default_rng(0).standard_normal((30, 8))
    ax = codomain.study(X, space=tmp_path / "s.space").plot_front()
    assert not [line for line in ax.lines if line.get_marker() == "*"]
    assert "none is proved to reach it" in [text.get_text() for text in ax.get_legend().get_texts()]


def test_health_has_a_line_a_measure(space):
    ax = plot_health(space)
    assert [tick.get_text() for tick in ax.get_yticklabels()][::-1] == [
        one["title"] for one in space.parts.health.measures
    ]


def test_the_learning_curve_is_that_of_the_labels(space):
    ax, curve = plot_learning_curve(space), space.parts.labels.record["curve"]
    assert ax.lines[0].get_xdata().tolist() == curve["n"] and ax.lines[0].get_ydata().tolist() == curve["accuracy"]


def test_plots_draw_on_the_axes_that_are_given_and_return_them(space):
    figure, axes = matplotlib.pyplot.subplots(2, 2)
    names = ("plot_map", "plot_front", "plot_health", "plot_learning_curve")
    for ax, name in zip(axes.ravel(), names, strict=True):
        assert getattr(space, name)(ax) is ax and ax.has_data()
    figure.canvas.draw()


def test_what_is_not_there_is_refused(space, tmp_path, monkeypatch):
    bare = codomain.write(tmp_path / "s.space", ["one", "two"], np.eye(2))
    for plot in (plot_map, plot_front, plot_health, plot_learning_curve):
        with pytest.raises(UserError, match=r"codomain (study|label)"):
            plot(bare)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(UserError, match=r"pip install 'codomain\[plot\]'"):
        plot_front(space)


def test_names_with_dollars_are_text(tmp_path, docstrings):
    rows = pd.DataFrame({"text": [f"$pay$ {text}" for text in docstrings["text"].to_pylist()[:30]]})
    codomain.study(rows, encoder="static:wordllama", space=tmp_path / "s.space").plot_map().figure.canvas.draw()
