"""What a person does with findings, a selection and a server, in Chromium; and that the page is open to everybody."""
# ruff: noqa: F811

import base64
import csv
import gzip
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import numpy as np
import pyarrow as pa
import pytest
import report_data
from pyarrow import parquet
from test_report import bare
from test_report_page import Open, Opened, browser, data, opened, pytestmark  # noqa: F401

import codomain
from codomain.guard import audit
from codomain.search import neighbors
from codomain.workbench import export_space, label_space
from codomain.workbench.report import ReportData, render


@pytest.fixture(scope="module")
def doubted() -> ReportData:
    """Rows of six classes of which two lie in one place, with some single wrong labels."""
    rng = np.random.default_rng(1)
    y = rng.integers(6, size=900)
    X = (3 * rng.normal(size=(6, 24))[y] + rng.normal(size=(900, 24))).astype(np.float32)
    y[(y == 0) & (rng.random(900) < 0.3)] = 1
    wrong = rng.choice(np.flatnonzero(y > 1), 12, replace=False)
    y[wrong] = 2 + (y[wrong] - 1) % 4
    near = neighbors(X, k=15)
    labels = [f"class {c}" for c in y]
    texts = [f"text number {i} of {label}" for i, label in enumerate(labels)]
    found = audit(X, near, labels=labels, texts=texts)
    return replace(
        bare(900, texts=texts, ids=[f"r{i}" for i in range(900)]),
        audit=found.to_dict(), flags=found.flags, user_labels=labels, neighbors=near.indices, scores=near.scores,
        xy=X[:, :2], kept=np.full(900, 0.5), labels=y, space="'my space'",
        groups={"groups": [{"id": c, "name": f"group {c}", "words": [], "size": int((y == c).sum()), "stability": 0.9,
                            "name_score": 0.9, "examples": []} for c in range(6)], "coverage": 1.0, "how": "By hand."},
    )  # fmt: skip


def label_check(report: ReportData) -> dict[str, Any]:
    assert report.audit is not None
    return next(check for check in report.audit["checks"] if check["kind"] == "label")


# --- findings ----
def test_classes_that_overlap_come_first_as_one_finding(opened: Open, doubted: ReportData) -> None:
    check = label_check(doubted)
    (pair,) = check["pairs"]
    report = opened(doubted)
    first = report.page.locator("#check-label .finding").first
    assert first.locator(".class-pair-says").inner_text() == pair["says"]
    assert "the two overlap" in pair["says"]
    words = first.locator("dl").inner_text()
    assert f"{pair['rows_given']}, {100 * pair['share_given']:.1f}% of its rows" in words
    assert f"{100 * pair['mixed']:.0f}%; if all those in doubt were lone mistakes" in words
    assert report.count("#check-label .class-pair") == 1
    of_pair = {"class 0", "class 1"}
    single = [one for one in check["findings"] if {one["given"], one["better"]} != of_pair]
    report.page.get_by_role("button", name=f"Show all {len(single)} that are in no such pair").click()
    shown = report.page.locator("#check-label > [data-check] > .finding")
    assert [int(card.locator(".row").first.get_attribute("data-id")) for card in shown.all()] == [
        one["row"] for one in single
    ][:20]


def test_the_rows_of_a_pair_open_with_the_most_certain_first_and_can_be_selected(
    opened: Open, doubted: ReportData
) -> None:
    check = label_check(doubted)
    rows = [one["row"] for one in check["findings"] if {one["given"], one["better"]} == {"class 0", "class 1"}]
    report = opened(doubted)
    report.page.get_by_role("button", name=f"Its {len(rows)} rows, most certain first").click()
    shown = [
        int(card.locator(".row").first.get_attribute("data-id"))
        for card in report.page.locator(".class-pair .finding").all()
    ]
    assert shown == rows[:20]
    report.page.locator(".class-pair").get_by_role("button", name="Select on map").click()
    assert report.page.evaluate("codomain.state.selection") == sorted(rows)


def test_a_doubtful_label_stands_beside_a_near_row_with_both_labels_and_no_words_marked(
    opened: Open, doubted: ReportData
) -> None:
    report = opened(doubted)
    card = report.page.locator("#check-label > [data-check] > .finding").first
    first = next(
        one for one in label_check(doubted)["findings"] if {one["given"], one["better"]} != {"class 0", "class 1"}
    )
    assert card.locator(".row-caption").all_inner_texts() == [
        f"Labelled {first['given']}",
        f"A near row, labelled {first['better']}",
    ]
    assert card.locator(".row").nth(1).get_attribute("data-id") == str(first["other"])
    assert card.locator("mark").count() == 0


def test_an_audit_of_before_without_pairs_shows_its_rows(opened: Open, doubted: ReportData) -> None:
    assert doubted.audit is not None
    checks = [{key: value for key, value in check.items() if key != "pairs"} for check in doubted.audit["checks"]]
    report = opened(replace(doubted, audit={"checks": checks}))
    assert report.count(".class-pair") == 0
    assert report.count("#check-label .finding") == 3


# --- a selection ----
@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A studied space whose ids look like numbers and are not."""
    folder = tmp_path_factory.mktemp("space")
    rng = np.random.default_rng(0)
    kinds = np.arange(80) % 2
    X = (4 * np.eye(16)[kinds] + rng.normal(size=(80, 16))).astype(np.float32)
    table = pa.table({"id": [f"{i:04d}" for i in range(80)], "size": rng.integers(9, size=80), "vector": list(X)})
    parquet.write_table(table, folder / "rows.parquet")
    return codomain.study(folder / "rows.parquet", space=folder / "rows.space", report=folder / "r.html").space


def choose(report: Opened, rows: list[int]) -> None:
    report.page.evaluate("rows => codomain.change({ selection: rows, row: null })", rows)
    report.page.locator(".take-rows summary").click()


def of_space(space: Any) -> ReportData:
    ids = space.ids.to_pylist()
    return bare(len(ids), ids=ids, xy=np.asarray(space.parts.map.xy), space="rows.space")


def test_labels_given_to_selections_come_back_through_the_label_command(
    opened: Open, space: Any, tmp_path: Path
) -> None:
    report = opened(of_space(space))
    given = {'one, "quoted"': [0, 2, 4, 6, 8, 10], "=two": [1, 3, 5, 7, 9, 11]}
    for name, rows in given.items():
        choose(report, rows)
        report.page.get_by_label("Name of the label").fill(name)
        report.page.keyboard.press("Enter")
        assert report.text(".label-says") == f"6 rows labelled “{name}”."
    assert (
        "codomain label rows.space --from labels.csv --ask 0"
        in report.page.locator(".take-rows code").all_inner_texts()
    )
    with report.page.expect_download() as saved:
        report.page.click("#download-labels")
    saved.value.save_as(tmp_path / "labels.csv")
    labelled = label_space(space.path, labels=tmp_path / "labels.csv", ask=0)
    part = codomain.open(space.path).parts.labels
    table = parquet.read_table(part.given)
    found = dict(zip(table["row"].to_pylist(), table["label"].to_pylist(), strict=True))
    assert found == {row: name for name, rows in given.items() for row in rows}
    assert {one["name"] for one in labelled.space.parts.labels.classes} == set(given)


def test_the_filter_and_the_command_of_a_selection_give_these_rows(opened: Open, space: Any, tmp_path: Path) -> None:
    report = opened(of_space(space))
    choose(report, [3, 7, 8, 9])
    command, condition = report.page.locator(".take-rows code").all_inner_texts()[:2]
    assert command == f"codomain export rows.space rows.parquet --where '{condition}'"
    where = parquet.read_table(export_space(space, tmp_path / "where.parquet", where=condition))
    rows = parquet.read_table(export_space(space, tmp_path / "rows.parquet", rows="3,7-9"))
    assert where["id"].to_pylist() == rows["id"].to_pylist() == ["0003", "0007", "0008", "0009"]
    assert {"size", "group", "map_x"} <= set(where.column_names)


def test_a_selection_too_long_for_a_condition_is_given_by_row_numbers(opened: Open, doubted: ReportData) -> None:
    report = opened(doubted)
    choose(report, [*range(0, 700), 800, 802])
    assert report.page.locator(".take-rows code").all_inner_texts()[:2] == [
        "codomain export 'my space' rows.parquet --rows 0-699,800,802", "0-699,800,802",
    ]  # fmt: skip


# --- a server ----
@dataclass
class Served:
    """A server on this machine that answers as `codomain serve` does, and what it was asked."""

    report: ReportData
    html: str
    asked: list[tuple[str, str, Any]] = field(default_factory=list)
    answer: Callable[[dict[str, list[str]]], tuple[int, Any, float]] | None = None
    url: str = ""

    def usual(self, query: dict[str, list[str]]) -> tuple[int, Any, float]:
        """Rows 5, 6 and 7 whatever is asked, the words of the question matched in the first."""
        rows = [5, 6, 7]
        hits = [
            {"row": row, "id": self.report.ids[row], "score": 0.5, "percentile": 0.999, "text": "",
             "matched": ["number"], "group": 0, "group_name": None, "columns": {}, "url": f"rows/{row}"}
            for row in rows
        ]  # fmt: skip
        return 200, {"space": "one", "generation": 1, "url": "", "nothing_close": "nothing" in query.get("q", [""])[0],
                     "notes": ["Long questions are cut."], "hits": hits}, 0.0  # fmt: skip

    def searches(self) -> list[dict[str, list[str]]]:
        return [parse_qs(urlsplit(path).query) for _, path, _ in self.asked if "/search?" in path]


def served_html(report: ReportData, server: dict[str, Any], folder: Path) -> str:
    """The page as a server gives it out: it knows the server, and may ask it."""
    html = render(report, folder / "page.html").read_text("utf-8")
    block = re.search(r'<script type="application/octet-stream" id="b-head" data-kind="json">([^<]*)</script>', html)
    assert block is not None
    head = json.loads(gzip.decompress(base64.b64decode(block[1]))) | {"server": server}
    packed = base64.b64encode(gzip.compress(json.dumps(head).encode())).decode()
    return html.replace(block[1], packed).replace("default-src 'none';", "default-src 'none'; connect-src 'self';", 1)


@pytest.fixture
def served(doubted: ReportData, tmp_path: Path) -> Iterator[Served]:
    server = {"space": "one", "spaces": ["one", "two"], "notes": True, "encodes": True}
    site = Served(doubted, served_html(doubted, server, tmp_path))

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None: ...

        def do_GET(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            site.asked.append((self.command, self.path, body))
            status, value, pause = 200, {}, 0.0
            if "/search?" in self.path:
                status, value, pause = (site.answer or site.usual)(parse_qs(urlsplit(self.path).query))
            elif self.path.endswith("/notes"):
                value = {"space": "one", "notes": [{"id": "r5", "star": True, "note": "seen", "when": "", "url": ""}]}
            time.sleep(pause)
            html = self.path.endswith("/")
            content = site.html.encode() if html else json.dumps(value).encode()
            try:
                self.send_response(status)
                self.send_header("content-type", "text/html; charset=utf-8" if html else "application/json")
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
            except OSError:
                pass  # the page no longer waits

        do_PUT = do_DELETE = do_GET  # noqa: N815

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=listener.serve_forever, daemon=True)
    thread.start()
    site.url = f"http://127.0.0.1:{listener.server_port}/one/"
    yield site
    listener.shutdown()
    listener.server_close()
    thread.join()


@pytest.fixture
def visit(browser: Any, served: Served) -> Iterator[Callable[..., Any]]:
    contexts = []

    def call(**options: Any) -> Any:
        contexts.append(
            browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce", **options)
        )
        page = contexts[-1].new_page()
        page.goto(served.url)
        page.wait_for_selector("html[data-ready]", state="attached")
        return page

    yield call
    for context in contexts:
        context.close()


def ask(page: Any, words: str) -> None:
    page.fill("#q", words)
    page.keyboard.press("Enter")


def shown_ids(page: Any) -> list[str]:
    return page.locator("#hits .row-id").all_inner_texts()  # type: ignore[no-any-return]


def test_served_the_box_asks_by_meaning_and_words_and_the_answer_is_shown(visit: Any, served: Served) -> None:
    page = visit()
    ask(page, "text number")
    page.wait_for_selector("#hits .row")
    assert shown_ids(page) == ["r5", "r6", "r7"]
    assert served.searches()[-1] == {"q": ["text number"], "mode": ["both"], "k": ["50"]}
    assert page.inner_text("#results-says").splitlines() == ["3 rows, best first", "Long questions are cut."]
    assert page.locator("#hits mark").all_inner_texts() == ["number"] * 3
    assert "0.500, 1 in 1,000 as close" in page.inner_text("#hits .row-score")
    page.get_by_role("button", name="Words", exact=True).click()
    page.wait_for_timeout(200)
    assert served.searches()[-1]["mode"] == ["words"]
    ask(page, "nothing")
    page.wait_for_selector(".nothing-close")


def test_served_examples_are_chips_that_the_question_carries(visit: Any, served: Served) -> None:
    page = visit()
    ask(page, "text")
    page.locator("#hits .row").nth(0).get_by_role("button", name="More like this").click()
    page.locator("#hits .row").nth(1).get_by_role("button", name="Less like this").click()
    page.locator(".asking .chip").nth(1).wait_for()
    assert page.locator(".asking .chip").all_inner_texts() == ["like r5", "unlike r6"]
    page.wait_for_timeout(200)
    assert (served.searches()[-1]["like"], served.searches()[-1]["unlike"]) == (["r5"], ["r6"])
    page.locator(".asking .chip").first.click()
    assert page.evaluate("document.activeElement.id") == "q"
    page.wait_for_timeout(200)
    assert "like" not in served.searches()[-1]


def test_served_the_latest_question_wins(visit: Any, served: Served) -> None:
    def slow_first(query: dict[str, list[str]]) -> tuple[int, Any, float]:
        status, value, _ = served.usual(query)
        first = query["q"] == ["first"]
        value["hits"] = value["hits"][:1] if first else value["hits"][1:]
        return status, value, 1.0 if first else 0.0

    served.answer = slow_first
    page = visit()
    ask(page, "first")
    page.wait_for_timeout(200)
    ask(page, "second")
    page.wait_for_selector("#hits .row")
    page.wait_for_timeout(1300)
    assert shown_ids(page) == ["r6", "r7"]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((400, {"error": "The question is empty.", "needed": "words", "todo": "type some"}, 0.0),
         "The question is empty. Needed: words. To do: type some"),
        ((500, [], 0.0), "The server answered with an error (500)."),
        ((200, {}, 4.0), "The server has not answered yet."),
    ],
)  # fmt: skip
def test_served_a_server_that_fails_or_is_slow_says_so_and_words_are_found_in_the_page(
    visit: Any, served: Served, answer: tuple[int, Any, float], words: str
) -> None:
    served.answer = lambda _: answer
    page = visit()
    ask(page, "17")
    page.wait_for_selector("#hits .row")
    assert page.inner_text("#results-says").startswith(words)
    assert "1 row with these words" in page.inner_text("#results-says")
    assert shown_ids(page) == ["r17"]


def test_served_stars_and_notes_are_kept_by_the_server(visit: Any, served: Served) -> None:
    page = visit()
    ask(page, "text")
    first = page.locator("#hits .row").first
    assert (
        first.locator(".star").get_attribute("aria-pressed") == "true" and first.locator(".note").inner_text() == "seen"
    )
    second = page.locator("#hits .row").nth(1)
    second.get_by_role("button", name="Write a note").click()
    page.keyboard.type("look again")
    second.get_by_role("button", name="Keep").click()
    second.locator(".note").wait_for()
    assert served.asked[-1] == ("PUT", "/one/rows/r6/note", {"star": False, "note": "look again"})
    first.locator(".star").click()
    page.wait_for_selector("#hits .row:first-child .star[aria-pressed=false]")
    assert served.asked[-1] == ("PUT", "/one/rows/r5/note", {"star": False, "note": "seen"})


def test_served_another_space_opens_with_the_same_question(visit: Any, served: Served) -> None:
    page = visit()
    ask(page, "a & b")
    page.select_option("#space", "two")
    page.wait_for_url("**/two/*")
    assert unquote(page.url).endswith("/two/#q=a+&+b")


def test_served_rows_come_as_parquet_by_their_numbers(visit: Any, served: Served) -> None:
    page = visit()
    page.evaluate("codomain.change({ selection: [1, 2, 3, 9], row: null })")
    page.locator(".take-rows summary").click()
    assert page.locator(".take-rows a").get_attribute("href") == "rows.parquet?rows=1-3,9"


# --- open to everybody ----
def violations(page: Any) -> list[str]:
    """What axe-core finds wrong with a page as it is now."""
    page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8"))
    found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")["violations"]
    return [f"{one['id']}: {node['target']} {node['failureSummary']}" for one in found for node in one["nodes"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing_wrong_with_a_report_whatever_is_open(
    opened: Open,
    doubted: ReportData,
    data: ReportData,
    scheme: str,
    width: int,
) -> None:
    full = replace(data, audit=doubted.audit, flags=None, labelled=report_data.labelled(), space="x")
    report = opened(full, width=width, color_scheme=scheme, bypass_csp=True)
    assert violations(report.page) == []
    report.search("json")
    report.page.evaluate("codomain.change({ row: 3 })")
    assert violations(report.page) == []
    report.page.locator(".class-pair .row-do button").first.click()
    choose(report, [1, 2, 3])
    report.page.get_by_label("Name of the label").fill("a")
    report.page.keyboard.press("Enter")
    report.page.evaluate("for (const how of document.querySelectorAll('details')) how.open = true")
    assert violations(report.page) == []
    report.page.click("[data-side=facets]")
    report.page.locator("#facets .facet-bars button").first.click()
    report.page.click("[data-side=facets]")
    assert violations(report.page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_wrong_with_a_served_page(visit: Any, served: Served, scheme: str) -> None:
    page = visit(color_scheme=scheme, bypass_csp=True)
    ask(page, "nothing text")
    page.locator("#hits .row").first.get_by_role("button", name="More like this").click()
    page.locator("#hits .row").nth(1).get_by_role("button", name="Write a note").click()
    assert violations(page) == []


def test_closing_gives_the_keyboard_a_place(opened: Open, doubted: ReportData) -> None:
    report = opened(doubted)
    report.search("17")
    report.page.click("#close-results")
    assert report.page.evaluate("document.activeElement.id") == "q"
    report.page.get_by_role("button", name="Show all").first.click()
    assert report.page.evaluate("document.activeElement.classList.contains('finding')")


def test_a_report_file_asks_nobody(opened: Open, doubted: ReportData) -> None:
    report = opened(doubted)
    report.search("text number")
    choose(report, [1, 2])
    assert report.page.evaluate("codomain.server") is None and report.count(".asking") == 0
    with pytest.raises(Exception, match="fetch"):
        report.page.evaluate("fetch('search?q=a')")
    report.asked.clear()
    report.complaints.clear()


def test_a_csv_of_chosen_rows_holds_these_rows(opened: Open, doubted: ReportData, tmp_path: Path) -> None:
    report = opened(doubted)
    choose(report, [4, 9])
    with report.page.expect_download() as saved:
        report.page.click("#download-chosen")
    saved.value.save_as(tmp_path / "rows.csv")
    with open(tmp_path / "rows.csv", encoding="utf-8-sig", newline="") as file:
        assert [line["id"] for line in csv.DictReader(file)] == ["r4", "r9"]
