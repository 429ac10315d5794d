"""Colours, filters, selections, expressions and the address of the report, as a person uses them in Chromium."""

import datetime
import re
import shlex
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import report_data
from test_report import bare
from test_report_page import Open, Opened, browser, opened, pytestmark

from codomain.search import parse_filter
from codomain.workbench.report import ReportData

__all__ = ["browser", "opened", "pytestmark"]  # fixtures and marks of the page, for these tests too
N = 600
FLAGS = {1: "is_duplicate", 2: "is_near_duplicate", 4: "is_outlier"}


def table() -> pa.Table:
    """Columns of every kind, with gaps and names that need quotes."""
    rng = np.random.default_rng(3)
    start = datetime.datetime(2021, 3, 1, 6)
    moments = [start + datetime.timedelta(minutes=int(m)) for m in rng.integers(0, 500_000, N)]

    def gaps(values: list[Any], every: int) -> list[Any]:
        return [None if row % every == 0 else value for row, value in enumerate(values)]

    return pa.table(
        {
            "stars": pa.array(gaps(rng.integers(1, 6, N).tolist(), 11), pa.int16()),
            "price": pa.array(gaps(np.exp(rng.normal(3, 2, N)).round(2).tolist(), 17)),
            "single": pa.array(rng.integers(0, 11, N) / 10, pa.float32()),
            "unit price (€)": pa.array(rng.normal(0, 1, N)),
            "kind": pa.array(gaps([f"kind {k}" for k in rng.zipf(1.6, N) % 60], 13)),
            'it\'s "odd"': pa.array([("a'b", 'c"d', "e\\f", "line\nend", "")[k] for k in rng.integers(0, 5, N)]),
            "sold": pa.array(gaps((rng.random(N) < 0.3).tolist(), 7)),
            "day": pa.array(gaps([moment.date() for moment in moments], 9)),
            "moment": pa.array(moments, pa.timestamp("us")),
            "zoned": pa.array(moments, pa.timestamp("us", "Europe/Berlin")),
            "written": pa.array([moment.isoformat()[:16] for moment in moments]),
        }
    )


@pytest.fixture(scope="module")
def data() -> ReportData:
    made = report_data.make(N, n_groups=12)
    rows = table()
    made.columns = {name: rows[name] for name in rows.column_names}
    made.user_labels = [str(value) if value is not None else "" for value in rows["kind"].to_pylist()]
    made.kept = np.random.default_rng(0).integers(0, 16, N) / 15
    return made


@pytest.fixture(scope="module")
def schema(data: ReportData) -> pa.Table:
    """What a condition of the command line reads: the table, and what the study found under its names there."""
    assert data.labels is not None and data.flags is not None and data.kept is not None
    rows = table().append_column("group", pa.array(data.labels))
    rows = rows.append_column("kept", pa.array(data.kept.astype(np.float32)))
    for bit, name in {**FLAGS, 8: "is_label_in_doubt"}.items():
        rows = rows.append_column(name, pa.array(data.flags & bit > 0))
    return rows.append_column("row", pa.array(np.arange(N)))


def lit(report: Opened) -> list[int]:
    """Rows that are lit on the map."""
    return report.page.evaluate("[...codomain.map.paint.lit].flatMap((on, row) => (on ? [row] : []))")


def facet(report: Opened, key: str) -> Any:
    found = report.page.locator(".facet").filter(has=report.page.locator(f"h3:text-is({key!r})")).first
    found.scroll_into_view_if_needed()
    return found


def brush(report: Opened, key: str, start: float, end: float) -> None:
    """Draw on a histogram from one share of its width to another."""
    box = facet(report, key).locator("canvas").bounding_box()
    report.page.mouse.move(box["x"] + start * box["width"], box["y"] + 20)
    report.page.mouse.down()
    report.page.mouse.move(box["x"] + end * box["width"], box["y"] + 30, steps=6)
    report.page.mouse.up()


def name_bar(report: Opened, key: str, name: str) -> Any:
    return facet(report, key).locator("button", has=report.page.locator(f".facet-name:text-is({name!r})"))


def condition(report: Opened) -> str:
    """The printed condition as a shell gives it to the command line."""
    words = shlex.split(report.text("#condition code"))
    return words[words.index("--where") + 1]


def rows_of(condition: str, schema: pa.Table) -> list[int]:
    return schema.filter(parse_filter(condition, schema.schema))["row"].to_pylist()


def on_the_map(report: Opened, x: float, y: float) -> tuple[float, float]:
    report.page.locator("#map-box").scroll_into_view_if_needed()
    box = report.page.locator("#canvas").bounding_box()
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def draw_box(report: Opened, corners: tuple[float, float, float, float], key: str | None = None) -> set[int]:
    """Draw a box between two corners, as shares of the map, and return the rows that lie in it."""
    (left, top), (right, bottom) = on_the_map(report, *corners[:2]), on_the_map(report, *corners[2:])
    inside = report.page.evaluate(
        """([left, top, right, bottom]) => {
          const { map, data } = codomain;
          const box = map.canvas.getBoundingClientRect();
          return Array.from({ length: data.n }, (_, i) => i).filter((i) => {
            const [x, y] = map.toScreen(map.x[i], map.y[i]);
            return x + box.left > left && x + box.left < right && y + box.top > top && y + box.top < bottom;
          });
        }""",
        [left, top, right, bottom],
    )
    if key:
        report.page.keyboard.down(key)
    report.page.mouse.move(left, top)
    report.page.mouse.down()
    report.page.mouse.move(right, bottom, steps=4)
    report.page.mouse.up()
    if key:
        report.page.keyboard.up(key)
    return set(inside)


def selected(report: Opened) -> set[int]:
    return set(report.page.evaluate("codomain.state.selection ?? []"))


def test_a_column_of_names_colours_the_map_most_frequent_first_and_the_rest_as_other(
    opened: Open, data: ReportData
) -> None:
    report = opened(data)
    report.page.select_option("#colour", label="kind")
    counts = Counter(table()["kind"].to_pylist())
    counts[""] = counts.pop(None)  # the labels have empty words for a missing one
    shown = [words.rsplit(None, 1) for words in report.page.locator("#legend .group-chip").all_inner_texts()]
    assert [int(count) for _, count in shown] == sorted(counts.values(), reverse=True)
    names = [name if name else "(empty)" for name, _ in counts.most_common()]
    assert {name for name, _ in shown} == set(names)
    colours = report.page.evaluate("codomain.map.paint.colours.map((one) => one.join())")
    of = report.page.evaluate("[...codomain.map.paint.of]")
    other = [row for row in range(N) if of[row] == 0]
    assert len(colours) == 37 and len(set(colours)) > 30
    ranked = report.page.evaluate("codomain.data.labelNames.slice(36)")
    assert {data.user_labels[row] for row in other} == set(ranked)  # type: ignore[index]


def test_numbers_colour_by_their_order_and_a_few_far_out_do_not_flatten_the_rest(opened: Open) -> None:
    values = [float(value) for value in range(100)]
    values[7], values[50] = 1e9, float("nan")
    report = opened(bare(100, xy=np.random.default_rng(0).normal(size=(100, 2)), columns={"size": values}))
    report.page.select_option("#colour", label="size")
    of = np.array(report.page.evaluate("[...codomain.map.paint.of]"))
    known = np.argsort(np.nan_to_num(values, nan=-1))[1:]
    assert (np.diff(of[known]) >= 0).all() and of[98] - of[8] > 55
    assert of[50] == 64
    ticks = [float(words) for words in report.page.locator("#legend .ticks span").all_inner_texts()]
    assert ticks == [20, 40, 60, 80]
    legend = report.text("#legend")
    assert "above 98 as the last" in legend and "1 row without a value in grey" in legend


def test_dates_colour_by_time_and_numbers_give_points_their_size(opened: Open, data: ReportData) -> None:
    report = opened(data)
    report.page.select_option("#colour", label="day")
    days = [value.toordinal() if value else None for value in table()["day"].to_pylist()]
    of = np.array(report.page.evaluate("[...codomain.map.paint.of]"))
    known = [row for row in range(N) if days[row] is not None]
    assert (np.diff(of[sorted(known, key=lambda row: days[row])]) >= 0).all()  # type: ignore[arg-type, return-value]
    assert all(of[row] == 64 for row in range(N) if days[row] is None)
    assert re.findall(r"20\d\d-\d\d-\d\d", report.text("#legend .ticks"))
    before = report.page.evaluate("codomain.map.canvas.toDataURL()")
    report.page.select_option("#point-size", label="price")
    report.page.wait_for_function("before => codomain.map.canvas.toDataURL() !== before", arg=before)
    sizes = np.array(report.page.evaluate("[...codomain.map.paint.sizes]"))
    price = np.array([np.nan if value is None else value for value in table()["price"].to_pylist()])
    order = np.argsort(price)[: np.isfinite(price).sum()]
    assert (np.diff(sizes[order]) >= 0).all() and set(sizes) == set(range(8))


def test_brushing_a_histogram_filters_the_map_the_list_and_every_other_count(opened: Open, data: ReportData) -> None:
    report = opened(data)
    brush(report, "unit price (€)", 0.3, 0.6)
    low, high = (float(box.input_value()) for box in facet(report, "unit price (€)").locator("input").all())
    values = np.array(table()["unit price (€)"])
    passing = np.flatnonzero((values >= low) & (values <= high))
    assert 20 < len(passing) < N - 20
    assert lit(report) == passing.tolist()
    assert report.text("#lit-says") == f"{len(passing)} of {N} rows"
    stars = table()["stars"].to_pylist()
    counted = report.page.evaluate("[...codomain.cross.counts[codomain.cross.dimension.get('stars')]]")
    assert counted == [sum(stars[row] == star for row in passing) for star in (1, 2, 3, 4, 5, None)]
    own = report.page.evaluate(
        "codomain.cross.counts[codomain.cross.dimension.get('unit price (€)')].reduce((a, b) => a + b)"
    )
    assert own == N  # a histogram does not hide what its own filter leaves out
    report.page.click("[data-side=panel]")
    assert report.text("#panel h3").endswith(f": {len(passing)} rows")
    shown = [int(hit.get_attribute("data-id")) for hit in report.page.locator("#panel .row").all()]
    assert shown == passing[:20].tolist()


def test_filters_cross_and_come_off_one_by_one_or_all_at_once(opened: Open, data: ReportData) -> None:
    report = opened(data)
    kinds, stars = table()["kind"].to_pylist(), table()["stars"].to_pylist()
    brush(report, "stars", 0.7, 0.95)
    name_bar(report, "kind", "kind 1").click()
    name_bar(report, "kind", "kind 2").click()
    both = [row for row in range(N) if stars[row] in (4, 5) and kinds[row] in ("kind 1", "kind 2")]
    assert lit(report) == both and len(both) > 10
    shown = name_bar(report, "kind", "kind 3").locator(".facet-count")
    assert int(shown.inner_text()) == sum(stars[row] in (4, 5) and kinds[row] == "kind 3" for row in range(N))
    assert [chip.strip() for chip in report.page.locator("#facet-chips .chip").all_inner_texts()] == [
        "stars from 4", "kind: kind 1, kind 2",
    ]  # fmt: skip
    report.page.locator("#facet-chips .chip").first.click()
    assert lit(report) == [row for row in range(N) if kinds[row] in ("kind 1", "kind 2")]
    brush(report, "stars", 0.05, 0.15)
    report.page.click("#clear-all")
    assert lit(report) == list(range(N)) and report.count("#chips .chip") == 0


Act = Callable[[Opened], None]


def click(key: str, *names: str) -> Act:
    def act(report: Opened) -> None:
        for name in names:
            name_bar(report, key, name).click()

    return act


def typed(key: str, low: str, high: str) -> Act:
    def act(report: Opened) -> None:
        for box, value in zip(facet(report, key).locator("input").all(), (low, high), strict=True):
            box.fill(value)
            box.blur()

    return act


def sweep(key: str, start: float, end: float) -> Act:
    return lambda report: brush(report, key, start, end)


def without_value(key: str) -> Act:
    return lambda report: facet(report, key).locator("button", has_text="without a value").click()


@pytest.mark.parametrize(
    "acts",
    [
        [sweep("price", 0.2, 0.7)],
        [sweep("stars", 0.3, 0.5), sweep("unit price (€)", 0.4, 1.0)],
        [typed("single", "0.3", "0.7")],
        [typed("price", "20.5", "")],
        [without_value("price")],
        [click("kind", "kind 1", "(empty)")],
        [click('it\'s "odd"', "a'b", 'c"d')],
        [click('it\'s "odd"', "e\\f", "(empty)")],
        [click("sold", "true")],
        [click("sold", "false", "no value")],
        [sweep("day", 0.2, 0.6)],
        [typed("day", "2021-05-01", "2021-06-30")],
        [sweep("moment", 0.3, 0.8)],
        [sweep("zoned", 0.3, 0.8)],
        [sweep("written", 0.0, 0.4), click("sold", "false")],
        [sweep("neighbours kept", 0.25, 0.75)],
        [click("suspicious rows", "Near duplicates", "Odd rows")],
        [click("suspicious rows", "no suspicion"), sweep("stars", 0.5, 1)],
    ],
    ids=range(18),
)
def test_the_printed_condition_selects_the_same_rows_on_the_command_line(
    opened: Open, data: ReportData, schema: pa.Table, acts: list[Act]
) -> None:
    report = opened(data)
    for act in acts:
        act(report)
    here = lit(report)
    assert 0 < len(here) < N
    printed = condition(report)
    assert rows_of(printed, schema) == here
    report.page.evaluate("codomain.change({ filters: new Map() })")
    report.page.evaluate("where => location.assign('#' + new URLSearchParams({ where }))", printed)
    report.page.wait_for_function("count => codomain.map.paint.count === count", arg=len(here))
    assert lit(report) == here  # and the page reads what it prints


def test_groups_are_conditions_too(opened: Open, data: ReportData, schema: pa.Table) -> None:
    report = opened(data)
    assert data.groups is not None
    for group in data.groups["groups"][:2]:
        name_bar(report, "group", group["name"]).click()
    here = lit(report)
    assert condition(report) == "group in (0, 1)" and rows_of(condition(report), schema) == here
    report.page.locator("#legend .group-chip", has_text="in no group").click()
    report.page.click("[data-side=facets]")
    assert condition(report) == "group == -1" and rows_of("group == -1", schema) == lit(report)


def test_labels_of_true_and_false_are_their_column(opened: Open) -> None:
    sold = [bool(row % 3) for row in range(30)]
    xy = np.random.default_rng(0).normal(size=(30, 2))
    report = opened(bare(30, xy=xy, columns={"sold": sold}, user_labels=[str(value) for value in sold]))
    assert report.page.locator(".facet h3").all_inner_texts() == ["sold"]
    name_bar(report, "sold", "False").click()
    assert lit(report) == [row for row in range(30) if not sold[row]]
    assert condition(report) == "not sold"


def test_a_new_box_replaces_shift_adds_alt_narrows_and_escape_lets_go(opened: Open, data: ReportData) -> None:
    report = opened(data)
    report.page.click("[data-tool=box]")
    one = draw_box(report, (0.1, 0.1, 0.5, 0.6))
    assert selected(report) == one and one
    two = draw_box(report, (0.3, 0.3, 0.9, 0.9))
    assert selected(report) == two != one
    three = draw_box(report, (0.1, 0.1, 0.4, 0.5), "Shift")
    assert selected(report) == two | three > two
    four = draw_box(report, (0.2, 0.2, 0.6, 0.6), "Alt")
    assert selected(report) == (two | three) & four
    assert 0 < len(selected(report)) < len(two | three)
    assert lit(report) == sorted(selected(report))
    report.page.mouse.move(*on_the_map(report, 0.1, 0.1))
    report.page.mouse.down()
    report.page.mouse.move(*on_the_map(report, 0.4, 0.4), steps=3)
    report.page.focus("#canvas")
    report.page.keyboard.press("Escape")  # lets go of the line only
    report.page.mouse.up()
    assert selected(report) == (two | three) & four
    report.page.keyboard.press("Escape")
    assert selected(report) == set() and lit(report) == list(range(N))


def test_a_selection_takes_only_rows_that_pass_the_filters(opened: Open, data: ReportData) -> None:
    report = opened(data)
    name_bar(report, "kind", "kind 1").click()
    report.page.click("[data-tool=box]")
    inside = draw_box(report, (0.1, 0.1, 0.7, 0.7))
    kinds = table()["kind"].to_pylist()
    assert selected(report) == {row for row in inside if kinds[row] == "kind 1"}


def test_a_finger_draws_a_lasso_and_adds_to_it(opened: Open, data: ReportData) -> None:
    report = opened(data, width=390, height=800, has_touch=True)
    report.page.locator("#map-box").scroll_into_view_if_needed()
    report.page.click("[data-tool=lasso]")
    draw = """([left, top, right, bottom]) => {
      const { canvas, width, height } = codomain.map;
      canvas.setPointerCapture = () => {};
      const box = canvas.getBoundingClientRect();
      const finger = (type, x, y) => canvas.dispatchEvent(new PointerEvent(type, { pointerId: 5, pointerType: "touch",
        clientX: box.left + x * width, clientY: box.top + y * height, bubbles: true }));
      finger("pointerdown", left, top);
      for (const [x, y] of [[right, top], [right, bottom], [left, bottom], [left, top]]) finger("pointermove", x, y);
      finger("pointerup", left, top);
      return codomain.data.texts.map((_, i) => i).filter((i) => {
        const [x, y] = codomain.map.toScreen(codomain.map.x[i], codomain.map.y[i]);
        return x > left * width && x < right * width && y > top * height && y < bottom * height;
      });
    }"""
    one = set(report.page.evaluate(draw, [0.1, 0.1, 0.5, 0.5]))
    assert selected(report) == one and one
    report.page.click("[data-mode=add]")
    two = set(report.page.evaluate(draw, [0.5, 0.4, 0.9, 0.9]))
    assert selected(report) == one | two > one
    report.page.click("[data-mode=narrow]")
    three = set(report.page.evaluate(draw, [0.3, 0.2, 0.8, 0.7]))
    assert selected(report) == (one | two) & three


def test_an_expression_lights_the_rows_that_python_finds(opened: Open, data: ReportData) -> None:
    report = opened(data)
    assert data.texts and data.ids
    for typed, pattern, flags in (
        ("/colou?r|pars(e|ing)/i", "colou?r|pars(e|ing)", re.IGNORECASE),
        ("/^Return\\b/", r"^Return\b", 0),
        ("/\\d{3}/", r"\d{3}", 0),
    ):
        report.page.fill("#q", typed)
        report.page.wait_for_function(
            "typed => document.querySelector('#results-says').textContent.includes(typed)", arg=typed
        )
        columns = [table()[name].to_pylist() for name in ("kind", 'it\'s "odd"', "day", "moment", "zoned", "written")]
        columns[2:5] = [[value and value.isoformat() for value in column] for column in columns[2:5]]
        expected = [
            row for row in range(N)
            if any(re.search(pattern, cell or "", flags | re.ASCII)
                   for cell in (data.texts[row], data.ids[row], *(column[row] for column in columns)))
        ]  # fmt: skip
        assert 0 < len(expected) and lit(report) == expected
        assert report.text("#lit-says") == f"{len(expected):,} of {N} rows"
        first = report.page.locator("#hits .row").first
        found = re.search(pattern, data.texts[int(first.get_attribute("data-id"))], flags)
        if found and found[0]:
            assert first.locator(".row-text mark").first.inner_text() == found[0]


def test_a_broken_expression_gets_words(opened: Open, data: ReportData) -> None:
    report = opened(data)
    report.page.fill("#q", "/(open/")
    report.page.wait_for_function("() => /no regular/.test(document.querySelector('#results-says').textContent)")
    assert "Unterminated group" in report.text("#results-says")
    report.page.fill("#q", "/open/x")
    report.page.wait_for_function("() => /“x”/.test(document.querySelector('#results-says').textContent)")


def test_an_expression_without_end_is_stopped_and_the_page_stays_awake(opened: Open) -> None:
    texts = ["aab", *["fine aa!"] * 500, "a" * 60 + "!", *["aab"] * 500]
    report = opened(bare(len(texts), texts=texts, xy=np.random.default_rng(0).normal(size=(len(texts), 2))))
    report.page.fill("#q", "/^(a+)+b$/")
    report.page.wait_for_function("() => /Looking/.test(document.querySelector('#results-says').textContent)")
    report.page.click("[data-zoom='1.5']")
    assert report.page.evaluate("codomain.map.scale > codomain.map.fit")  # the page answers meanwhile
    assert "Looking" in report.text("#results-says")
    report.page.wait_for_function("() => /Stopped/.test(document.querySelector('#results-says').textContent)")
    assert "near row 400 of 1,002" in report.text("#results-says")
    assert lit(report) == [0]
    report.page.fill("#q", "/aab/")
    report.page.wait_for_function("() => /501 rows/.test(document.querySelector('#results-says').textContent)")


def test_the_address_brings_everything_back_and_the_history_works(opened: Open, data: ReportData) -> None:
    report = opened(data)
    brush(report, "stars", 0.7, 0.95)
    report.page.select_option("#colour", label="price")
    report.page.select_option("#point-size", label="stars")
    report.page.evaluate("codomain.change({ row: 5 }); codomain.map.zoom(3)")
    report.page.fill("#q", "/return/i")
    report.page.wait_for_function("() => /match/.test(document.querySelector('#results-says').textContent)")
    report.page.wait_for_function("() => /view=/.test(location.hash) && /q=/.test(location.hash)")
    address, here = report.page.url, lit(report)
    assert 0 < len(here) < N and f"row={data.ids[5]}" in address
    view = report.page.evaluate("codomain.map.view()")
    report.page.goto("about:blank")
    report.page.goto(address)
    report.page.wait_for_function("() => /match/.test(document.querySelector('#results-says').textContent)")
    assert lit(report) == here
    assert report.page.evaluate("[codomain.state.colour, codomain.state.size, codomain.state.row]") == [
        "price",
        "stars",
        5,
    ]
    assert report.page.input_value("#colour") == "price" and report.page.input_value("#q") == "/return/i"
    assert report.page.evaluate("codomain.map.view()") == pytest.approx(view, abs=1e-3)
    assert report.page.url == address
    report.page.evaluate("codomain.change({ row: null })")
    report.page.go_back()
    report.page.wait_for_function("() => codomain.state.row === 5")
    report.page.go_forward()
    report.page.wait_for_function("() => codomain.state.row === null")


def test_a_link_to_a_section_keeps_what_is_shown(opened: Open, data: ReportData) -> None:
    report = opened(data)
    name_bar(report, "kind", "kind 1").click()
    here = lit(report)
    report.page.locator(".top nav a", has_text="Health").click()
    report.page.wait_for_function("() => /where=.*&at=health/.test(location.hash)")
    assert lit(report) == here
    report.page.go_back()
    report.page.wait_for_function("() => !/at=/.test(location.hash)")
    assert lit(report) == here
    report.page.evaluate("location.assign('#where=nothing+%3E+3&row=nobody')")
    report.page.wait_for_selector("#address-says:not([hidden])")
    assert "the filter nothing > 3" in report.text("#address-says") and "the row nobody" in report.text("#address-says")


def test_more_groups_are_named_as_one_looks_closer_and_no_name_covers_another(opened: Open) -> None:
    report = opened(report_data.make(900, n_groups=60), width=700)
    report.page.locator("#map-box").scroll_into_view_if_needed()
    names = lambda: report.page.locator("#names button:visible").all()  # noqa: E731
    seen = {name.inner_text() for name in names()}
    whole = len(seen)
    for x, y in ((0.3, 0.3), (0.7, 0.3), (0.3, 0.7), (0.7, 0.7), (0.5, 0.5)):
        report.page.evaluate(f"codomain.map.look([{x}, {y}, 2.5])")
        report.page.wait_for_timeout(80)
        seen |= {name.inner_text() for name in names()}
        boxes = [name.bounding_box() for name in names()]
        for i, a in enumerate(boxes):
            for b in boxes[:i]:
                assert (
                    a["x"] >= b["x"] + b["width"] or b["x"] >= a["x"] + a["width"]
                    or a["y"] >= b["y"] + b["height"] or b["y"] >= a["y"] + a["height"]
                )  # fmt: skip
    assert len(seen) > 1.3 * whole


def test_small_areas_are_named_by_the_word_that_their_rows_share(opened: Open) -> None:
    rng = np.random.default_rng(0)
    places = {"apple": (-3, -3), "bridge": (-3.0, 3.0), "candle": (3, -3), "dolphin": (3, 3)}
    texts = [f"the common {word} of {rng.integers(999)}" for word in places for _ in range(100)]
    xy = np.concatenate([rng.normal(place, 0.4, (100, 2)) for place in places.values()])
    report = opened(bare(400, texts=texts, xy=xy))
    assert report.count("#names .area") == 0
    for i, word in enumerate(places):
        x, y = xy[100 * i : 100 * i + 100].mean(0)
        report.page.evaluate("([x, y]) => { codomain.map.zoom(3); codomain.map.middle = [x, -y]; }", [x, y])
        report.page.evaluate("codomain.map.moved()")
        report.page.wait_for_function(
            "word => [...document.querySelectorAll('#names .area')].some((mark) => mark.textContent === word)", arg=word
        )
        report.page.evaluate("codomain.map.whole()")
    assert (
        report.page.evaluate("[...codomain.areas.known.values()].filter(Boolean).map((area) => area.word)").count(
            "common"
        )
        == 0
    )  # which all rows say


def test_every_entry_of_a_long_legend_can_be_reached(opened: Open) -> None:
    labels = [f"label {i % 300}" for i in range(900)]
    report = opened(bare(900, xy=np.random.default_rng(0).normal(size=(900, 2)), user_labels=labels))
    assert report.count("#legend .group-chip") == 100
    report.page.get_by_role("button", name="Show all 300").click()
    assert set(report.page.locator("#legend .group-chip span").all_inner_texts()) == set(labels)
    last = report.page.locator("#legend .group-chip").last
    last.scroll_into_view_if_needed()
    last.click()
    assert report.page.evaluate("codomain.map.paint.count") == 3


@pytest.mark.parametrize("width", [390, 1280])
def test_the_map_fills_its_box(opened: Open, data: ReportData, width: int) -> None:
    report = opened(data, width=width, height=800)
    spans = report.page.evaluate("""() => {
      const { map } = codomain;
      const spots = [...map.x].map((x, i) => map.toScreen(x, map.y[i]));
      const span = (places) => Math.max(...places) - Math.min(...places);
      return [span(spots.map(([x]) => x)) / map.width, span(spots.map(([, y]) => y)) / map.height];
    }""")
    assert 0.85 < max(spans) < 1 and (width > 400 or min(spans) > 0.7)
    assert report.page.evaluate("document.documentElement.scrollWidth") <= width


def test_many_rows_are_drawn_by_density_and_by_points_nearer_by(opened: Open) -> None:
    rng = np.random.default_rng(0)
    xy = np.concatenate([rng.normal(0, 0.3, (54_000, 2)), rng.normal((3, 0), 0.3, (6_000, 2))])
    report = opened(bare(60_000, xy=xy))
    assert report.page.evaluate("codomain.map.dense")
    crowd, fewer, nobody = report.page.evaluate("""() => {
      const { map } = codomain;
      const places = [0, 3, 1.5].map((x) => map.toScreen(x, 0).map((at) => Math.round(at * map.ratio)));
      const { data } = map.context.getImageData(0, places[0][1], map.canvas.width, 1);
      return places.map(([x]) => data[4 * x] + data[4 * x + 1] + data[4 * x + 2]);
    }""")
    assert crowd < fewer < nobody  # the page is light: the more rows, the darker
    report.page.evaluate("codomain.map.zoom(6)")
    report.page.wait_for_function("() => codomain.map.dense === false")
