"""The report as a file: what it says, how big it is, and that nothing in it can run or be fetched."""

import base64
import gzip
import json
import re
import shlex
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import report_data

from codomain.core import UserError, plain
from codomain.shrink import Recipe
from codomain.workbench.report import ReportData, pack, render
from codomain.workbench.report.figures import front_plot, scale
from codomain.workbench.report.html import figure, share
from codomain.workbench.report.recipes import explain

HOSTILE = [
    "</script><script>window.ran=1</script>",
    "<b onmouseover=window.ran=1>bold</b>",
    "<!--<script>",
    "]]>",
    "&lt;&amp;",
    "double \" and single ' quotes",
    "back\\slash \\u003c",
    "👩‍🔬 emoji 🎉",
    "שלום עולם",
    "nul\0inside",
    "half \ud83d pair",
    "line\u2028separator",
    "x" * 5000,
    '=HYPERLINK("x")',
    "{{ 7*7 }}",
    "",
]


class Elements(HTMLParser):
    """Collects elements, and whether each number has evidence near it."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.evidence: list[list[int]] = []  # for each open evidence block: [depth, numbers, explanations]
        self.closed: list[list[int]] = []
        self.numbers_outside = 0
        self.depth = 0

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = dict(attributes)
        self.seen.append((tag, found))
        if tag not in {"meta", "link", "input", "br", "hr", "img"}:
            self.depth += 1
        if "data-evidence" in found:
            self.evidence.append([self.depth, 0, 0])
        classes = (found.get("class") or "").split()
        if "num" in classes:
            if self.evidence:
                self.evidence[-1][1] += 1
            else:
                self.numbers_outside += 1
        if "how" in classes and self.evidence:
            self.evidence[-1][2] += 1

    def handle_endtag(self, tag: str) -> None:
        if self.evidence and self.evidence[-1][0] == self.depth:
            self.closed.append(self.evidence.pop())
        self.depth -= 1


def page(data: ReportData, folder: Path) -> tuple[str, Elements]:
    html = render(data, folder / "report.html").read_text("utf-8")
    elements = Elements()
    elements.feed(html)
    return html, elements


def block(html: str, name: str) -> bytes:
    found = re.search(rf'id="b-{name}" data-kind="\w+">([^<]*)</script>', html)
    assert found, name
    return gzip.decompress(base64.b64decode(found[1]))


def bare(n: int, **more: Any) -> ReportData:
    return ReportData(title="bare", source="bare.npy", n=n, d=8, encoder="given, 8-d", generated="2026-11-22", **more)


@pytest.fixture(scope="module")
def data() -> ReportData:
    return report_data.make(600, n_groups=12)


def test_the_first_screen_answers_three_questions(data: ReportData, tmp_path: Path) -> None:
    html, _ = page(data, tmp_path)
    first = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html[html.index("<main") : html.index('id="map"')]))
    assert "What is in it?" in first and data.groups and data.groups["groups"][0]["name"] in first
    assert "What is wrong with it?" in first and "Near duplicates" in first
    assert "How small can it be?" in first and "1,536 96 bytes a vector" in first


def test_every_number_has_its_how_do_you_know(data: ReportData, tmp_path: Path) -> None:
    _, elements = page(data, tmp_path)
    assert elements.numbers_outside == 0
    assert len(elements.closed) > 20
    assert all(explained for _, numbers, explained in elements.closed if numbers)


def test_what_label_found_is_shown_class_by_class(data: ReportData, tmp_path: Path) -> None:
    assert 'id="labels"' not in page(data, tmp_path)[0]
    html, elements = page(replace(data, labelled=report_data.labelled()), tmp_path)
    section = html[html.index('id="labels"') : html.index('id="rows"')]
    words = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", section))
    assert "36 given labels of 3 classes" in words and "81% right" in words
    assert "66% to 90.1% with 95% confidence" in words
    shown = words[: words.index("Labels given")]
    assert "commonest class, &#39;parsing &lt;b&gt;&#39;, is right for 38.9%" in shown
    assert "Balanced accuracy, the mean share found of a class: 79.1% (64.1% to 89.2%)" in shown
    table = re.findall(r"<span dir=\"auto\">([^<]*)</span></th>(.*?)</tr>", section)
    assert [name for name, _ in table] == ["parsing &lt;b&gt;", "network", "rest"]  # most rows first, and only text
    cells = [re.findall(r">([^<]*)</td>", cells) for _, cells in table]
    assert cells == [["14", "1,402", "31"], ["12", "410", "7"], ["10", "388", "0"]]
    assert "Nothing is promised" in words and 'href="#labels"' in html
    assert all(explained for _, numbers, explained in elements.closed if numbers) and elements.numbers_outside == 0


def test_labels_without_an_estimate_and_without_rejects_say_so(data: ReportData, tmp_path: Path) -> None:
    bare = report_data.labelled() | {"accuracy": None, "baseline": None, "from": "/elsewhere/<i>.space"}
    del bare["majority"], bare["balanced"]  # as codomain 0.1 sealed it
    bare["classes"] = [one | {"rejected": None} for one in bare["classes"]]
    html, _ = page(replace(data, labelled=bare), tmp_path)
    section = html[html.index('id="labels"') : html.index('id="rows"')]
    assert "commonest" not in section and "is not known" in section and "right on labelled rows" not in section
    assert section.count(">–</td>") == 3
    assert "come from /elsewhere/&lt;i&gt;.space" in section


def test_a_refusal_is_said_on_the_first_screen(data: ReportData, tmp_path: Path) -> None:
    html, _ = page(replace(data, certificate=report_data.certificate(refused=True)), tmp_path)
    assert "No recipe keeps 0.95" in html[html.index("How small") : html.index('id="map"')]
    assert "winner" not in html[html.index("<tbody>") : html.index("</tbody>")]


def test_a_partial_report_says_so(data: ReportData, tmp_path: Path) -> None:
    assert "2,000 of 9,812 rows" in page(replace(data, partial="2,000 of 9,812 rows"), tmp_path)[0]
    assert "A first look" not in page(data, tmp_path)[0]


def test_the_footer_says_whether_anything_left_the_machine(data: ReportData, tmp_path: Path) -> None:
    assert "Nothing left this machine" in page(data, tmp_path)[0]
    sent = page(replace(data, sent_to="http://10.0.0.7/v1"), tmp_path)[0]
    assert "Nothing left this machine" not in sent and "were sent to" in sent


def test_nothing_in_the_file_is_fetched(data: ReportData, tmp_path: Path) -> None:
    html, elements = page(data, tmp_path)
    addresses = [
        value
        for _, found in elements.seen
        for name, value in found.items()
        if name in {"src", "href", "action", "srcset"}
    ]
    assert all(value and value.startswith(("#", "data:")) for value in addresses)
    style = html[html.index("<style>") : html.index("</style>")]
    assert "url(" not in style and "@import" not in style
    assert "default-src 'none'" in html


@pytest.mark.parametrize("where", ["texts", "ids", "columns", "labels", "names", "title"])
def test_hostile_strings_stay_text(where: str, tmp_path: Path) -> None:
    n = len(HOSTILE)
    more: dict[str, Any] = {"texts": ["plain"] * n}
    if where == "labels":
        more["user_labels"] = HOSTILE
    elif where == "columns":
        more["columns"] = {name or "empty": HOSTILE for name in HOSTILE}
    elif where in ("texts", "ids"):
        more[where] = HOSTILE
    elif where == "names":
        more["labels"] = np.arange(n)
        more["groups"] = {"how": HOSTILE[0], "coverage": 1.0, "groups": [
            {"id": i, "name": name, "words": [name], "size": 1, "stability": 1.0, "name_score": 1.0, "examples": [i]}
            for i, name in enumerate(HOSTILE)
        ]}  # fmt: skip
    report = bare(n, **more)
    if where == "title":
        report = replace(
            report, title="".join(HOSTILE), source=HOSTILE[0], encoder=HOSTILE[1], commands={HOSTILE[0]: HOSTILE[5]}
        )
    _, elements = page(report, tmp_path)
    scripts = [found for tag, found in elements.seen if tag == "script"]
    assert [found for found in scripts if "type" not in found] == [{}]
    assert "b" not in {tag for tag, found in elements.seen if "onmouseover" in found}
    assert not any(name.startswith("on") for _, found in elements.seen for name in found)


def test_packed_texts_come_back(tmp_path: Path) -> None:
    html, _ = page(bare(len(HOSTILE), texts=HOSTILE), tmp_path)
    back = json.loads(block(html, "texts"))
    for sent, came in zip(HOSTILE, back, strict=True):
        assert came == pack.cut(sent, 300).replace("\ud83d", "?")


def test_packed_numbers_come_back(data: ReportData, tmp_path: Path) -> None:
    html, _ = page(data, tmp_path)
    assert data.labels is not None and data.xy is not None and data.neighbors is not None
    np.testing.assert_array_equal(np.frombuffer(block(html, "labels"), "<i2"), data.labels)
    np.testing.assert_array_equal(np.frombuffer(block(html, "neighbors"), "<i2"), data.neighbors.ravel())
    low, step = json.loads(block(html, "head"))["reals"]["x"]
    np.testing.assert_allclose(np.frombuffer(block(html, "x"), "<u2") * step + low, data.xy[:, 0], atol=2e-5)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([0, 255], "Uint8Array"),
        ([-1, 300], "Int16Array"),
        ([0, 65535], "Uint16Array"),
        ([-1, 70000], "Int32Array"),
        ([], "Uint8Array"),
    ],
)
def test_integers_take_the_narrowest_array(values: list[int], kind: str) -> None:
    name, content = pack.pack_integers(np.array(values, dtype=np.int64))
    width = {"Uint8Array": "u1", "Int16Array": "<i2", "Uint16Array": "<u2", "Int32Array": "<i4"}[kind]
    assert name == kind
    assert np.frombuffer(gzip.decompress(base64.b64decode(content)), width).tolist() == values


def test_the_same_study_gives_the_same_file(data: ReportData, tmp_path: Path) -> None:
    assert render(data, tmp_path / "a.html").read_bytes() == render(data, tmp_path / "b.html").read_bytes()


def test_long_texts_are_cut_further_rather_than_passing_the_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    texts = ["".join(map(chr, rng.integers(0x4E00, 0x9FFF, 300))) for _ in range(200)]
    assert pack.pack_words(texts, {})[2] == 300
    monkeypatch.setattr(pack, "TEXT_BUDGET", 60_000)
    words, _, length = pack.pack_words(texts, {})
    assert length == 120 and len(words) * 3 / 4 <= 60_000
    assert all(len(text) <= 120 for text in json.loads(gzip.decompress(base64.b64decode(words))))


def test_fifty_thousand_rows_stay_under_25_megabytes(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    n = 50_000
    letters = "".join(rng.choice(list("abcdefghijklmnopqrstuvwxyz     "), 2_000_000))  # far less regular than language
    starts = rng.integers(0, len(letters) - 300, n)
    report = bare(
        n,
        texts=[letters[at : at + 300] for at in starts],
        xy=rng.normal(size=(n, 2)),
        kept=rng.random(n),
        labels=rng.integers(-1, 100, n),
        flags=rng.integers(0, 16, n),
        neighbors=rng.integers(0, n, (n, 15)),
        scores=rng.random((n, 15)),
        columns={"url": [f"https://example.org/{at}" for at in starts], "score": rng.random(n)},
    )
    assert render(report, tmp_path / "big.html").stat().st_size < 25_000_000


def test_a_column_of_the_wrong_length_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="texts has 2"):
        render(bare(3, texts=["a", "b"]), tmp_path / "report.html")
    assert not (tmp_path / "report.html").exists()


def test_json_holds_only_what_json_can_hold() -> None:
    odd = {"nan": float("nan"), "inf": np.float32("inf"), "int": np.int64(3), "array": np.arange(2), 5: Path("a")}
    assert plain(odd) == {"nan": None, "inf": None, "int": 3, "array": [0, 1], "5": "a"}


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (1536, "1,536"),
        (0.08123, "0.0812"),
        (2.4142, "2.41"),
        (143.2, "143"),
        (0.0, "0"),
        (None, "not measured"),
        (float("nan"), "not measured"),
        (0.00012, "0.0001"),
        (-0.000339, "-0.0003"),
        (3e-7, "about 0"),
    ],
)
def test_figures_have_three_digits(value: float | None, words: str) -> None:
    assert figure(value) == words


def test_a_share_below_one_is_never_shown_as_all() -> None:
    assert [share(value) for value in (1.0, 0.99999, 0.95, 0.954, 0.5, 0.0004, 0.0)] == [
        "100%",
        "99.9%",
        "95%",
        "95.4%",
        "50%",
        "under 0.1%",
        "0%",
    ]


@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        ("pca 192 -> int8", "keep the 192 directions that say most; each number in 1 byte"),
        ("pq96x4 -> best 10k by int8",
         "96 codes of 4 bits, each for a few numbers at once; "
         "then rank 10 candidates for each hit again by a finer copy (int8)"),
        ("1 of 12 lists -> signs", "read 1 of 12 lists of rows that lie together; of each number only its sign, 1 bit"),
        ("f32", "each number in 4 bytes, as it is"),
        ("new code", "new code"),
    ],
)  # fmt: skip
def test_a_recipe_is_explained_step_by_step(recipe: str, words: str) -> None:
    assert explain(recipe) == words


def test_every_recipe_that_there_is_has_words() -> None:
    given = ("f32", "f16", "int8", "int6", "int4", "binary", "rabitq3", "pq8x4", "pq8x8", "fill64")
    named = [Recipe(code=code).name for code in given]
    named += [Recipe(code="signs", rescore="int8").name, Recipe(code="int8", rescore="f32", depth=3).name]
    named += [Recipe(project=project, width=8).name for project in ("pca", "truncate")]
    named += [Recipe(project="opq", width=8, code="pq4x4").name, Recipe(project="itq", width=8, code="binary").name]
    named += [Recipe(code="pq8x4", rescore="int8", lists=12, probe=3).name]
    assert not [step for name in named for step in name.split(" -> ") if explain(step) == step]


def test_commands_to_copy_can_be_run_as_they_are(data: ReportData, tmp_path: Path) -> None:
    assert data.groups is not None
    largest = max(data.groups["groups"], key=lambda group: group["size"])
    html, _ = page(data, tmp_path)
    words = " ".join(largest["words"][:2])
    shown = re.findall(r"<code>(.*?)</code>", html)
    assert f"codomain search docstrings.space {shlex.quote(words)}".replace("'", "&#39;") in shown
    assert not [command for command in shown if "{query}" in command]


def test_marks_keep_their_order_on_the_line() -> None:
    marks = scale({"value": 2.4, "low": 2.2, "high": 2.7, "null": 0.4})
    assert marks
    assert 3 <= marks["null"] < marks["low"] < marks["value"] < marks["high"] <= 97
    assert scale({"value": 2.4, "low": None, "high": None, "null": None}) is None
    assert scale({"value": None, "low": 1, "high": 2, "null": 0}) is None


def test_the_plot_puts_better_recall_higher_and_smaller_to_the_left() -> None:
    plot = front_plot(report_data.certificate())
    assert plot
    points = sorted(plot["points"], key=lambda point: point["row"]["bytes"])
    assert [point["x"] for point in points] == sorted(point["x"] for point in points)
    by_recall = sorted(points, key=lambda point: point["row"]["recall"])
    assert [point["y"] for point in by_recall] == sorted((point["y"] for point in points), reverse=True)
    assert sum(point["winner"] for point in points) == 1


@pytest.mark.parametrize("n", [1, 3])
def test_vectors_alone_make_a_report(n: int, tmp_path: Path) -> None:
    html, elements = page(bare(n), tmp_path)
    assert "Not measured yet" in html and elements.numbers_outside == 0
