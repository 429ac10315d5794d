"""The page of a comparison as a person meets it: opened from disk in Chromium, with the network off."""

import os
import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import codomain
from codomain.workbench import compare_spaces

CHROMIUM = Path("/usr/bin/chromium")
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
needs_chromium = pytest.mark.skipif(
    not CHROMIUM.exists() and "CI" not in os.environ, reason="no /usr/bin/chromium here; where CI is set this must run"
)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five blobs of 200 rows, of which row 7 was moved and one text is hostile."""
    folder = tmp_path_factory.mktemp("compared")
    rng = np.random.default_rng(0)
    label = np.arange(200) % 5
    X = (6 * np.eye(8)[label] + rng.standard_normal((200, 8))).astype(np.float32)
    Y = X + 0.1 * rng.standard_normal((200, 8)).astype(np.float32)
    Y[7] = Y[label == 4].mean(axis=0)
    texts = [f"text number {i}" for i in range(200)]
    texts[7] = HOSTILE
    roles = codomain.space.Roles("text", None, "id")
    rows = {"id": [f"id-{i}" for i in range(200)], "text": texts}
    one = codomain.write(folder / "<b>one.space", rows, X, roles=roles)
    two = codomain.write(folder / "two.space", rows, Y, roles=roles)
    return compare_spaces(one, two).write(folder / "page.html")


def test_it_is_one_file_that_fetches_nothing_and_escapes_what_people_hold(path: Path) -> None:
    page = path.read_text("utf-8")
    assert HOSTILE not in page and "<b>one.space" not in page and "&lt;b&gt;one.space" in page
    assert "default-src 'none'" in page
    assert not re.search(r"https?://", page.replace("http://www.w3.org/2000/svg", ""))
    assert page.count("<script>") == 1


@pytest.fixture
def page(path: Path) -> Iterator[Any]:
    """The page, held to silence: no request, no complaint."""
    from playwright.sync_api import sync_playwright

    asked: list[str] = []
    complaints: list[str] = []
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=arguments)
        found = browser.new_page(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
        found.on("request", lambda request: asked.append(request.url))
        found.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
        found.on("pageerror", lambda error: complaints.append(str(error)))
        found.goto(path.as_uri())
        found.wait_for_selector("html[data-ready]", state="attached")
        yield found
        browser.close()
    assert asked == [path.as_uri()]
    assert complaints == []


def spot(page: Any, side: str, row: int) -> tuple[float, float]:
    """Where a row lies on the screen."""
    page.locator(f"#box-{side}").scroll_into_view_if_needed()
    box = page.locator(f"#canvas-{side}").bounding_box()
    x, y = page.evaluate(f"(m => m.toScreen(m.x[{row}], m.y[{row}]))(codomain.maps.{side})")
    return box["x"] + x, box["y"] + y


@pytest.mark.page
@needs_chromium
def test_the_moved_row_is_listed_first_and_its_text_stays_text(page: Any) -> None:
    first = page.locator("#row-list .finding").first
    assert first.locator(".row-id").inner_text() == "id-7"
    assert first.locator(".row-text").inner_text() == HOSTILE
    assert first.locator(".kept").inner_text() == "0 of 10 neighbours kept"
    assert first.locator(".lists li").count() == 20 and first.locator(".lists li.lost").count() == 20
    assert page.locator(".answer-line").inner_text().lower() == "related"


@pytest.mark.page
@needs_chromium
def test_pointing_at_a_row_on_one_map_rings_it_on_the_other(page: Any) -> None:
    for side, other in (("a", "b"), ("b", "a")):
        page.mouse.move(*spot(page, side, 30))
        row = page.evaluate(f"codomain.maps.{side}.hovered")
        assert row is not None
        assert page.evaluate(f"codomain.maps.{other}.hovered") == row
        ring = page.locator(f"#ink-{other} .ring").first
        x, y = page.evaluate(f"(m => m.toScreen(m.x[{row}], m.y[{row}]))(codomain.maps.{other})")
        assert float(ring.get_attribute("cx")) == pytest.approx(x, abs=0.01)
        assert float(ring.get_attribute("cy")) == pytest.approx(y, abs=0.01)
        assert page.locator(f"#tip-{side}").is_visible() and page.locator(f"#tip-{other}").is_hidden()
        page.mouse.move(2, 2)
        assert page.evaluate(f"codomain.maps.{other}.hovered") is None


@pytest.mark.page
@needs_chromium
def test_a_row_that_is_clicked_shows_its_lists_and_ties_on_both_maps(page: Any) -> None:
    page.mouse.click(*spot(page, "a", 30))
    row = page.evaluate("codomain.state.row")
    for side in "ab":
        assert page.locator(f"#ink-{side} .tie").count() == 10
    assert page.locator("#panel .row-id").inner_text() == f"id-{row}"
    ticked = page.locator("#panel .lists > div").first.locator("li:not(.lost)").count()
    assert page.locator("#panel .kept").inner_text() == f"{ticked} of 10 neighbours kept"
    page.keyboard.press("Escape")
    assert page.locator("#panel").inner_text() == ""


@pytest.mark.page
@needs_chromium
def test_rows_drawn_around_on_one_map_are_lit_on_both(page: Any) -> None:
    page.click('[data-tool="box"]')
    page.locator("#box-a").scroll_into_view_if_needed()
    box = page.locator("#canvas-a").bounding_box()
    page.mouse.move(box["x"] + 5, box["y"] + 5)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=4)
    page.mouse.up()
    chosen = set(page.evaluate("codomain.state.selection"))
    left, right = (  # what surely lies in the box, and what may, as a pointer stands on whole pixels
        set(
            page.evaluate(
                "edge => Array.from({length: 200}, (_, i) => i).filter(i => { const m = codomain.maps.a;"
                " const [x, y] = m.toScreen(m.x[i], m.y[i]); return x > 5 + edge && y > 5 + edge"
                " && x < m.width / 2 - edge && y < m.height / 2 - edge; })",
                edge,
            )
        )
        for edge in (2, -2)
    )
    assert left <= chosen <= right and 0 < len(left) and len(right) < 200
    for side in "ab":
        lit = page.evaluate(f"Array.from(codomain.maps.{side}.paint.lit)")
        assert {row for row, on in enumerate(lit) if on} == chosen
    assert f"Selected: {len(chosen)} rows" in page.locator("#panel h3").inner_text()


@pytest.mark.page
@needs_chromium
def test_a_group_of_the_table_is_shown_on_both_maps(page: Any) -> None:
    name = page.locator(".fates [data-a]").first.inner_text()
    page.locator(".fates [data-a]").first.click()
    labels = page.evaluate("Array.from(codomain.data.sides.a.labels)")
    chosen = next(g["id"] for g in page.evaluate("codomain.data.sides.a.groups") if g["name"] == name)
    lit = page.evaluate("Array.from(codomain.maps.b.paint.lit)")
    assert [bool(on) for on in lit] == [label == chosen for label in labels]
    assert page.locator("#panel h3").inner_text().startswith(f"{name}: {sum(lit)} rows")


@pytest.mark.page
@needs_chromium
def test_the_right_map_lies_as_the_left_one_does(page: Any) -> None:
    x, y = (page.evaluate(f"Array.from(codomain.maps.a.{axis})") for axis in "xy")
    u, v = (page.evaluate(f"Array.from(codomain.maps.b.{axis})") for axis in "xy")
    assert np.corrcoef(x, u)[0, 1] > 0.5 and np.corrcoef(y, v)[0, 1] > 0.5


@needs_chromium
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing_wrong_with_the_compare_page(page: Any, scheme: str, width: int) -> None:
    axe = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
    context = page.context.browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True, reduced_motion="reduce"
    )
    other = context.new_page()
    other.goto(page.url)
    other.evaluate("for (const how of document.querySelectorAll('details')) how.open = true")
    other.evaluate(axe)
    found = other.evaluate("axe.run(document, { resultTypes: ['violations'] })")["violations"]
    context.close()
    assert [(one["id"], node["target"]) for one in found for node in one["nodes"]] == []
