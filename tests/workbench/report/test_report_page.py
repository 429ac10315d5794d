"""The report as a person meets it: opened from disk in Chromium, with the network off."""

import csv
import json
import os
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import report_data
from test_report import HOSTILE, bare

from codomain.search.engine.words import tokens
from codomain.workbench.report import ReportData, render

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-quic",
    "--no-first-run", "--disable-sync",
]  # fmt: skip
pytestmark = [
    pytest.mark.page,
    pytest.mark.skipif(
        not CHROMIUM.exists() and "CI" not in os.environ,
        reason="no /usr/bin/chromium here; where CI is set this must run",
    ),
]


@dataclass
class Opened:
    """A page, what it asked the network for, and what it complained of."""

    page: Any
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def count(self, selector: str) -> int:
        return self.page.locator(selector).count()

    def text(self, selector: str) -> str:
        return self.page.locator(selector).first.inner_text()

    def search(self, query: str) -> None:
        self.page.fill("#q", query)
        self.page.keyboard.press("Enter")
        self.page.wait_for_function(
            "codomain.index.done === 1 && !/Reading/.test(document.querySelector('#results-says').textContent)"
        )

    def point(self, row: int) -> tuple[float, float]:
        """Where a row lies on the screen."""
        self.page.locator("#map-box").scroll_into_view_if_needed()
        box = self.page.locator("#canvas").bounding_box()
        x, y = self.page.evaluate(f"codomain.map.toScreen(codomain.map.x[{row}], codomain.map.y[{row}])")
        return box["x"] + x, box["y"] + y


Open = Callable[..., Opened]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def data() -> ReportData:
    return report_data.make(900, n_groups=12)


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Open]:
    """Open a report and, when the test is over, hold it to silence: no request, no complaint."""
    pages: list[Opened] = []

    def call(
        report: ReportData,
        *,
        width: int = 1280,
        height: int = 900,
        ready: bool = True,
        script: str = "",
        **options: Any,
    ) -> Opened:
        path = render(report, tmp_path / f"report-{len(pages)}.html")
        context = browser.new_context(viewport={"width": width, "height": height}, reduced_motion="reduce", **options)
        found = Opened(context.new_page())

        def route(request: Any) -> None:
            if request.request.url.split("#")[0] == path.as_uri():
                request.continue_()
            else:
                found.asked.append(request.request.url)
                request.abort()

        found.page.route("**/*", route)
        found.page.on(
            "console",
            lambda message: found.complaints.append(message.text) if message.type in ("error", "warning") else None,
        )
        found.page.on("pageerror", lambda error: found.complaints.append(str(error)))
        if script:
            found.page.add_init_script(script)
        found.page.goto(path.as_uri())
        if ready:
            found.page.wait_for_selector("html[data-ready]", state="attached")
        pages.append(found)
        return found

    yield call
    for found in pages:
        assert found.asked == []
        assert found.complaints == []
        found.page.context.close()


def test_it_opens_from_disk_and_a_query_finds_its_row(opened: Open, data: ReportData) -> None:
    report = opened(data)
    report.search("parsing command line")
    assert "rows with these words" in report.text("#results-says")
    assert "argparse" in report.text("#hits .row-id")
    marked = [word.lower() for word in report.page.locator("#hits .row").first.locator("mark").all_inner_texts()]
    assert "parsing" in marked and "command" in marked


def test_search_finds_whole_words_and_offers_longer_ones_where_there_are_none(opened: Open) -> None:
    texts = ["cat cat cat", "cat and a dog and a bird", "dog", "a catalogue of things", "nothing of the kind"]
    report = opened(bare(5, texts=texts, ids=[f"row{i}" for i in range(5)]))
    report.search("cat")
    assert report.page.locator("#hits .row-id").all_inner_texts() == ["row0", "row1"]
    report.search("dog cat")
    assert report.text("#hits .row-id") == "row1"
    report.search("zebra")
    assert report.text("#results-says") == "No row has these words."
    report.search("catal")
    assert report.text("#results-says") == "No row has these words. Words that begin so: catalogue"
    report.page.locator("#results-says [data-query]").click()
    report.page.wait_for_function("document.querySelectorAll('#hits .row').length === 1")
    assert report.page.input_value("#q") == "catalogue"
    report.search("-cat")
    assert report.text("#results-says") == "Type also what is wanted: -word only leaves rows out."


def test_search_ranks_as_the_formula_of_bm25_says(opened: Open) -> None:
    rng = np.random.default_rng(0)
    texts = [
        " ".join(rng.choice(list("abcdefgh"), rng.integers(3, 30), p=np.arange(8, 0, -1) / 36)) for _ in range(120)
    ]
    report = opened(bare(120, texts=texts, ids=[f"row{i}" for i in range(120)]))
    report.search("g h")
    counts = {word: np.array([text.split().count(word) for text in texts]) for word in "gh"}
    lengths = np.array([len(text.split()) for text in texts])
    score = np.zeros(120)
    for times in counts.values():
        rarity = np.log(1 + (120 - (times > 0).sum() + 0.5) / ((times > 0).sum() + 0.5))
        score += rarity * times * 2.2 / (times + 1.2 * (0.25 + 0.75 * lengths / lengths.mean()))
    score *= sum((times > 0) for times in counts.values()) / 2
    expected = [f"row{i}" for i in np.argsort(-score, kind="stable")[:20]]
    assert report.page.locator("#hits .row-id").all_inner_texts() == expected


def test_search_reads_accents_and_scripts_without_spaces(opened: Open) -> None:
    texts = ["Café au lait", "東京の天気", "שלום עולם", "plain"]
    report = opened(bare(4, texts=texts, ids=list("abcd")))
    for query, hit in (("cafe", "a"), ("天気", "b"), ("שלום", "c")):
        report.search(query)
        assert report.page.locator("#hits .row-id").all_inner_texts() == [hit]


def test_the_page_and_the_command_line_read_questions_alike(opened: Open) -> None:
    table = json.loads((Path(__file__).parents[2] / "questions.json").read_text("utf-8"))
    report = opened(bare(len(table["texts"]), texts=table["texts"]))
    report.search("cafe")
    ask = "question => codomain.index.search(question).hits.map((hit) => hit.row).sort((a, b) => a - b)"
    found = [[question, report.page.evaluate(ask, question)] for question, _ in table["questions"]]
    assert found == table["questions"]


def test_the_page_cuts_every_character_into_words_as_the_command_line_does(opened: Open) -> None:
    report = opened(bare(1, texts=["a"]))
    known = [chr(c) for c in range(0x20000) if unicodedata.category(chr(c)) not in ("Cn", "Cs", "Co")]
    texts = [f"x{c}y {c}{c}\u0e01" for c in known]
    cut = "texts => texts.map((text) => codomain.index.language.tokens(text))"
    pairs = zip(texts, report.page.evaluate(cut, texts), strict=True)
    assert [(text, theirs, tokens(text)) for text, theirs in pairs if theirs != tokens(text)] == []


def test_what_a_question_found_is_marked_in_every_script(opened: Open) -> None:
    report = opened(bare(3, texts=["我在学习编程", "it runs small, and small it runs", "UN CAFÉ, des cafés"]))
    for question, marked in (("学习", ["学习"]), ('"runs small"', ["runs", "small"]), ("cafe un", ["UN", "CAFÉ"])):
        report.search(question)
        assert report.page.locator("#hits mark").all_inner_texts() == marked


def test_the_command_for_meaning_carries_the_query(opened: Open, data: ReportData) -> None:
    report = opened(data)
    report.search("it's $(here)")
    assert report.text("#by-meaning code") == r"codomain search docstrings.space 'it'\''s $(here)'"
    report.page.locator("#by-meaning [data-copy]").click()
    report.page.wait_for_function(
        "/Copied|Selected/.test(document.querySelector('#by-meaning [data-copy]').textContent)"
    )


def test_without_an_encoder_the_page_says_that_no_sentence_can_be_placed(opened: Open, data: ReportData) -> None:
    report = opened(replace(data, search_command=""))
    report.search("json")
    assert "came without an encoder" in report.text("#by-meaning") and report.count("#by-meaning code") == 0


def test_more_like_this_lists_the_stored_neighbours(opened: Open, data: ReportData) -> None:
    report = opened(data)
    report.search("argparse.HelpFormatter")
    row = int(report.page.locator("#hits .row").first.get_attribute("data-id"))
    report.page.locator("#hits .more-like").first.click()
    shown = [int(hit.get_attribute("data-id")) for hit in report.page.locator("#hits .row").all()]
    assert data.neighbors is not None and data.scores is not None
    assert shown == [row, *data.neighbors[row].tolist()]
    assert f"cosine {data.scores[row, 0]:.3f}" in report.page.locator("#hits .row").nth(1).inner_text()


def test_hovering_shows_a_row_and_clicking_shows_its_neighbours(opened: Open, data: ReportData) -> None:
    report = opened(data)
    row = report.page.evaluate("""() => {  // one that no other row and no name covers
        const { map, data } = codomain;
        const { left, top } = map.canvas.getBoundingClientRect();
        const names = [...document.querySelectorAll("#names button:not([hidden])")];
        const free = (i) => {
          const [x, y] = map.toScreen(map.x[i], map.y[i]);
          const covered = names.map((name) => name.getBoundingClientRect()).some((name) =>
           Math.abs(x + left - name.left - name.width / 2) < name.width / 2 + 9 && Math.abs(y + top - name.top) < 30);
          return !covered && [-2, 0, 2].every((d) => map.nearest(x + d, y + d) === i);
        };
        return Array.from({ length: data.n }, (_, i) => i).find(free);
    }""")
    x, y = report.point(row)
    report.page.mouse.move(x, y)
    report.page.wait_for_selector("#tip:not([hidden])")
    assert data.ids[row] in report.text("#tip")
    report.page.mouse.click(x, y)
    assert report.text("#panel .row-id") == data.ids[row]
    assert data.neighbors is not None
    shown = [int(hit.get_attribute("data-id")) for hit in report.page.locator("#panel .row.small").all()]
    assert shown == data.neighbors[row].tolist()
    assert report.count("#ink .tie") == len(shown)


def test_the_nearest_point_is_the_one_that_looking_at_all_of_them_finds(opened: Open, data: ReportData) -> None:
    report = opened(data)
    assert data.xy is not None
    wrong = report.page.evaluate("""() => {
        const { map } = codomain;
        let wrong = 0;
        for (let i = 0; i < 300; i++) {
          const [sx, sy] = [map.width * ((i * 0.618) % 1), map.height * ((i * 0.414) % 1)];
          const [x, y] = map.toMap(sx, sy);
          const far = [...map.x].map((px, j) => Math.hypot(px - x, map.y[j] - y));
          const least = Math.min(...far);
          const found = map.nearest(sx, sy, 30);
          if (least * map.scale >= 30 ? found !== null : far[found] !== least) wrong++;
        }
        return wrong;
    }""")
    assert wrong == 0


@pytest.mark.parametrize("tool", ["box", "lasso"])
def test_drawing_around_rows_selects_them_and_saves_them(
    opened: Open, data: ReportData, tool: str, tmp_path: Path
) -> None:
    report = opened(data)
    report.page.click(f"[data-tool={tool}]")
    report.page.locator("#map-box").scroll_into_view_if_needed()
    box = report.page.locator("#canvas").bounding_box()
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    corners = (
        [(-150, -120), (150, -120), (150, 120), (-150, 120)] if tool == "lasso" else [(-150, -120), (0, 0), (150, 120)]
    )
    surely, perhaps = (
        report.page.evaluate(
            """([width, height]) => {
              const { map } = codomain;
              return [...map.x].map((_, i) => map.toScreen(map.x[i], map.y[i]))
                .map(([x, y], i) => [x - map.width / 2, y - map.height / 2, i])
                .filter(([x, y]) => Math.abs(x) < width && Math.abs(y) < height).map(([, , i]) => i);
            }""",
            [150 + slack, 120 + slack],  # a mouse stands on whole pixels, and the box may not
        )
        for slack in (-2, 2)
    )
    report.page.mouse.move(middle[0] + corners[0][0], middle[1] + corners[0][1])
    report.page.mouse.down()
    for dx, dy in corners[1:]:
        report.page.mouse.move(middle[0] + dx, middle[1] + dy, steps=4)
    report.page.mouse.up()
    chosen = report.page.evaluate("codomain.state.selection")
    assert len(surely) > 10
    assert set(surely) <= set(chosen) <= set(perhaps)
    assert report.text("#panel h3") == f"{len(chosen)} rows selected"
    with report.page.expect_download() as saved:
        report.page.click("#download-chosen")
    saved.value.save_as(tmp_path / "rows.csv")
    with open(tmp_path / "rows.csv", encoding="utf-8-sig", newline="") as file:
        assert [line["id"] for line in csv.DictReader(file)] == [data.ids[i] for i in chosen]


def test_the_map_moves_by_wheel_drag_and_keys_and_comes_back(opened: Open, data: ReportData) -> None:
    report = opened(data)
    x, y = report.point(0)
    scale = lambda: report.page.evaluate("codomain.map.scale / codomain.map.fit")  # noqa: E731
    middle = lambda: report.page.evaluate("codomain.map.middle")  # noqa: E731
    report.page.mouse.move(x, y)
    report.page.wait_for_timeout(250)
    report.page.mouse.wheel(0, -300)
    report.page.wait_for_function("codomain.map.scale > codomain.map.fit * 1.2")
    assert report.page.evaluate("codomain.map.toScreen(codomain.map.x[0], codomain.map.y[0])") == pytest.approx(
        [
            x - report.page.locator("#canvas").bounding_box()["x"],
            y - report.page.locator("#canvas").bounding_box()["y"],
        ],
        abs=1.5,
    )
    before = middle()
    box = report.page.locator("#canvas").bounding_box()
    report.page.mouse.move(box["x"] + 6, box["y"] + 6)  # a corner, where no name lies over the map
    report.page.mouse.down()
    report.page.mouse.move(box["x"] + 86, box["y"] + 46, steps=4)
    report.page.mouse.up()
    report.page.wait_for_function("before => codomain.map.middle[0] !== before[0]", arg=before)
    report.page.focus("#canvas")
    report.page.keyboard.press("0")
    assert scale() == 1
    report.page.keyboard.press("+")
    assert scale() == pytest.approx(1.5)


def test_two_fingers_zoom_the_map(opened: Open, data: ReportData) -> None:
    report = opened(data)
    scale = report.page.evaluate("""() => {
        const { canvas, fit } = codomain.map;
        const { left, top } = canvas.getBoundingClientRect();
        const finger = (type, pointerId, x) => canvas.dispatchEvent(new PointerEvent(type,
          { pointerId, pointerType: "touch", clientX: left + x, clientY: top + 200, bubbles: true }));
        canvas.setPointerCapture = () => {};
        finger("pointerdown", 1, 200); finger("pointerdown", 2, 300);
        finger("pointermove", 2, 400);
        finger("pointerup", 1, 200); finger("pointerup", 2, 400);
        return codomain.map.scale / fit;
    }""")
    assert scale == pytest.approx(2)


def test_a_group_filters_the_map_and_the_list_from_anywhere(opened: Open, data: ReportData) -> None:
    report = opened(data)
    assert data.labels is not None and data.groups is not None
    group = data.groups["groups"][2]
    lit = "codomain.map.paint.lit.reduce((sum, on) => sum + on, 0)"
    for place in (".bars [data-group='2']", ".card [data-group='2']", "#legend .group-chip >> nth=2"):
        report.page.locator(place).click()
        assert report.page.evaluate(lit) == group["size"]
        assert f": {group['size']} rows" in report.text("#panel h3")
        report.page.locator("#chips .chip").click()
        assert report.page.evaluate(lit) == data.n
    report.search("the")
    report.page.evaluate("codomain.change({group: 2})")
    assert all(data.labels[int(hit.get_attribute("data-id"))] == 2 for hit in report.page.locator("#hits .row").all())


def test_labels_on_the_map_never_cover_each_other(opened: Open, data: ReportData) -> None:
    report = opened(data)
    boxes = [name.bounding_box() for name in report.page.locator("#names button:visible").all()]
    assert len(boxes) >= 4
    for i, a in enumerate(boxes):
        for b in boxes[:i]:
            apart = (
                a["x"] >= b["x"] + b["width"]
                or b["x"] >= a["x"] + a["width"]
                or a["y"] >= b["y"] + b["height"]
                or b["y"] >= a["y"] + a["height"]
            )
            assert apart


def test_the_map_can_be_coloured_by_label_and_by_neighbours_kept(opened: Open, data: ReportData) -> None:
    report = opened(data)
    seen = set()
    for colour in ("group", "label", "kept"):
        report.page.select_option("#colour", colour)
        report.page.wait_for_timeout(100)
        seen.add(report.page.evaluate("codomain.map.canvas.toDataURL()"))
    assert len(seen) == 3
    assert "all kept" in report.text("#legend")
    report.page.select_option("#colour", "label")
    report.page.locator("#legend .group-chip").first.click()
    assert data.user_labels is not None
    most = max(data.user_labels.count(name) for name in set(data.user_labels))
    assert report.page.evaluate("codomain.map.paint.lit.reduce((sum, on) => sum + on, 0)") == most


def test_light_and_dark_follow_the_system_and_the_button(opened: Open, data: ReportData) -> None:
    report = opened(data, color_scheme="dark")
    background = "getComputedStyle(document.body).backgroundColor"
    dark = report.page.evaluate(background)
    report.page.click("#theme")
    light = report.page.evaluate(background)
    assert dark != light and report.page.evaluate("document.documentElement.dataset.theme") == "light"
    report.page.reload()
    report.page.wait_for_selector("html[data-ready]", state="attached")
    assert report.page.evaluate(background) == light


def test_labels_that_are_a_column_already_are_shown_once(opened: Open) -> None:
    kinds = ["cat", "dog", "cat"]
    report = opened(bare(3, texts=list("abc"), user_labels=kinds, columns={"kind": kinds}))
    report.search("a")
    assert report.page.locator("#hits dl").inner_text().split() == ["kind", "cat"]
    report = opened(bare(3, texts=list("abc"), user_labels=kinds, columns={"kind": ["cat", "dog", "cow"]}))
    report.search("a")
    assert report.page.locator("#hits dl").inner_text().split() == ["label", "cat", "kind", "cat"]


def test_pairs_show_which_words_differ(opened: Open) -> None:
    audit = {
        "checks": [
            report_data.check(
                "near_duplicate",
                "Near duplicates",
                "Close.",
                [0],
                [{"row": 0, "other": 1, "score": 0.99, "why": "Very close."}],
            )
        ]
    }
    report = opened(bare(3, texts=["the red cat sat", "the blue cat sat down", "other"], audit=audit))
    sides = report.page.locator(".finding .row").all()
    assert [side.locator("mark").all_inner_texts() for side in sides] == [["red"], ["blue", "down"]]
    assert "Very close." in report.text(".finding .why")


def test_three_findings_come_first_and_the_rest_on_demand(opened: Open, data: ReportData) -> None:
    report = opened(data)
    assert data.audit is not None
    total = data.audit["checks"][2]["count"]
    place = "#check-outlier .findings"
    assert report.count(f"{place} .finding") == 3
    report.page.get_by_role("button", name=f"Show all {total}").click()
    assert report.count(f"{place} .finding") == min(20, total)


def test_the_table_comes_out_whole(opened: Open, data: ReportData, tmp_path: Path) -> None:
    report = opened(data)
    with report.page.expect_download() as saved:
        report.page.click("#download")
    assert saved.value.suggested_filename == "docstrings-csv-codomain.csv"
    saved.value.save_as(tmp_path / "all.csv")
    with open(tmp_path / "all.csv", encoding="utf-8-sig", newline="") as file:
        lines = list(csv.DictReader(file))
    assert list(lines[0]) == [
        "id",
        "text",
        "module",
        "length",
        "label",
        "group",
        "group_name",
        "map_x",
        "map_y",
        "flags",
        "kept",
    ]
    assert (
        data.labels is not None
        and data.xy is not None
        and data.groups is not None
        and data.kept is not None
        and data.texts
    )
    assert [line["id"] for line in lines] == list(data.ids)
    assert [int(line["group"]) for line in lines] == data.labels.tolist()
    assert [line["text"].lstrip("'") for line in lines] == [text.lstrip("'") for text in data.texts]
    np.testing.assert_allclose([float(line["map_y"]) for line in lines], data.xy[:, 1], atol=1e-4)
    np.testing.assert_allclose([float(line["kept"]) for line in lines], data.kept, atol=1e-3)
    names = {group["id"]: group["name"] for group in data.groups["groups"]} | {-1: ""}
    assert [line["group_name"] for line in lines] == [names[label] for label in data.labels.tolist()]
    assert data.audit is not None
    assert sum("duplicate" in line["flags"].split(";") for line in lines) == data.audit["checks"][0]["count"]


@pytest.mark.parametrize("safe", [True, False])
def test_hostile_cells_survive_the_table(opened: Open, tmp_path: Path, safe: bool) -> None:
    cells = ["=1+1", "+x", "-x", "@x", 'quote " , comma', "two\nlines", "'=plain", "fine"]
    report = opened(bare(8, texts=cells, columns={"=head": cells, "number": [-1, -2.5, 3, None, 0, 1, 2, 3]}))
    report.page.set_checked("#safe-cells", safe)
    with report.page.expect_download() as saved:
        report.page.click("#download")
    saved.value.save_as(tmp_path / "all.csv")
    with open(tmp_path / "all.csv", encoding="utf-8-sig", newline="") as file:
        lines = list(csv.reader(file))
    expected = [f"'{cell}" if safe and cell[0] in "=+-@" else cell for cell in cells]
    assert [line[1] for line in lines[1:]] == expected
    assert [line[2] for line in lines] == [("'" if safe else "") + "=head", *expected]
    assert [line[3] for line in lines[1:]] == ["-1", "-2.5", "3", "", "0", "1", "2", "3"]


def test_hostile_strings_neither_run_nor_break_the_page(opened: Open) -> None:
    n = len(HOSTILE)
    rng = np.random.default_rng(0)
    groups = [
        {"id": i, "name": text, "words": [text], "size": 1, "stability": 1.0, "name_score": 1.0, "examples": [i]}
        for i, text in enumerate(HOSTILE)
    ]
    findings = [{"row": i, "other": (i + 1) % n, "score": 1.0, "why": text} for i, text in enumerate(HOSTILE)]
    report = opened(
        replace(
            bare(
                n,
                texts=HOSTILE,
                ids=HOSTILE,
                columns={"c": HOSTILE},
                user_labels=HOSTILE,
                xy=rng.normal(size=(n, 2)),
                labels=np.arange(n),
                neighbors=np.array([[j for j in range(n) if j != i][:5] for i in range(n)]),
                scores=np.full((n, 5), 0.5),
                groups={"groups": groups, "coverage": 1.0, "how": HOSTILE[0]},
                audit={"checks": [report_data.check("duplicate", HOSTILE[0], HOSTILE[1], list(range(n)), findings)]},
            ),
            title=HOSTILE[0],
            commands={HOSTILE[0]: HOSTILE[1]},
        ),
        width=390,
    )
    for query in ("script", "שלום", "emoji", "quotes"):
        report.search(query)
        assert report.count("#hits .row") >= 1
    report.page.evaluate("codomain.change({row: 0})")
    report.page.get_by_role("button", name="Show all").last.click()
    assert report.page.evaluate("window.ran") is None
    assert report.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_script_that_slips_in_is_refused_by_the_page_itself(opened: Open, data: ReportData) -> None:
    report = opened(data)
    report.page.evaluate("""() => {
        const script = document.createElement("script");
        script.textContent = "window.ran = 1";
        document.body.append(script);
    }""")
    assert report.page.evaluate("window.ran") is None
    assert any("Content Security Policy" in words for words in report.complaints)
    report.complaints.clear()


@pytest.mark.parametrize("width", [320, 390, 768])
def test_narrow_screens_never_scroll_sideways(opened: Open, data: ReportData, width: int) -> None:
    report = opened(data, width=width, height=800, has_touch=True)
    report.search("json")
    report.page.evaluate("document.querySelectorAll('details').forEach((how) => { how.open = true; })")
    assert report.page.evaluate("document.documentElement.scrollWidth") <= width


def test_keys_reach_everything_that_matters(opened: Open, data: ReportData) -> None:
    report = opened(data)
    report.page.keyboard.press("/")
    assert report.page.evaluate("document.activeElement.id") == "q"
    report.page.keyboard.type("json")
    report.page.wait_for_selector("#hits .row")
    reached = set()
    for _ in range(60):
        report.page.keyboard.press("Tab")
        reached.add(report.page.evaluate("document.activeElement.className || document.activeElement.tagName"))
    assert any("more-like" in name for name in reached) and any("group-chip" in name for name in reached)
    report.page.focus("#q")
    report.page.keyboard.press("Escape")
    assert report.page.locator("#results").is_hidden()


def test_an_old_browser_is_told_and_can_still_read_the_numbers(opened: Open, data: ReportData) -> None:
    report = opened(data, ready=False, script="delete window.DecompressionStream")
    assert "cannot unpack the rows" in report.text("#cannot")
    assert "1,536" in report.text(".shrink")


@pytest.mark.parametrize("n", [1, 3])
def test_vectors_alone_open_and_can_be_taken_away(opened: Open, tmp_path: Path, n: int) -> None:
    xy = np.array([[0.0, 0.0], [1.0, 0.5], [0.2, -1.0]])[:n]
    report = opened(
        bare(
            n,
            xy=xy,
            kept=np.full(n, 0.5),
            labels=np.full(n, -1),
            groups={"groups": [], "coverage": 0.0, "how": "None found."},
        )
    )
    report.search("0")
    assert report.count("#hits .row") == 1
    with report.page.expect_download() as saved:
        report.page.click("#download")
    saved.value.save_as(tmp_path / "all.csv")
    with open(tmp_path / "all.csv", encoding="utf-8-sig", newline="") as file:
        assert len(list(csv.reader(file))) == n + 1


def test_a_hundred_groups_keep_the_page_in_order(opened: Open) -> None:
    data = report_data.make(900, n_groups=100)
    assert data.groups is not None
    report = opened(data)
    assert report.page.locator(".card.group:visible").count() == 12
    report.page.get_by_role("button", name=f"Show all {len(data.groups['groups'])} groups").click()
    assert report.page.locator(".card.group:visible").count() == len(data.groups["groups"])


def test_on_paper_every_explanation_is_open(opened: Open, data: ReportData) -> None:
    report = opened(data, color_scheme="dark")
    assert report.count(".how:not([open])") > 20
    report.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert report.count(".how:not([open])") == 0
    assert report.page.evaluate("document.documentElement.dataset.theme") == "light"
    report.page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert report.page.evaluate("document.documentElement.dataset.theme") == "dark"
