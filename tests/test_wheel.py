"""The built wheel, as a stranger installs it: what is in it, what it weighs, and that it runs."""

import csv
import json
import os
import subprocess
import sys
import tomllib
import zipfile
from email.parser import HeaderParser
from pathlib import Path

import pytest

import codomain

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src"
ROWS = [
    "The parcel arrived a week late", "Delivery took far longer than promised", "My order is still on its way",
    "The battery is empty after an hour", "It does not charge any more", "The charger gets very hot",
    "Great value for the price", "Cheap and it works well", "I would buy it again",
]  # fmt: skip

pytestmark = pytest.mark.slow


def call(*command, cwd=None):
    """Run a program, blind to this checkout, and return what it prints."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        [*map(str, command)], cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def install(python, what):
    """Install into another environment; byte code is left to be made when it is used, which saves minutes."""
    options = ("--quiet", "--no-compile", "-c", ROOT / "constraints.txt")
    call(sys.executable, "-m", "pip", "--python", python, "install", *options, what)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    call(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, ROOT)
    return next(folder.glob("codomain-*.whl"))


@pytest.fixture(scope="module")
def bare(wheel, tmp_path_factory):
    """A new environment with the wheel and what it depends on, and nothing else."""
    folder = tmp_path_factory.mktemp("bare")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    binaries = folder / ("Scripts" if os.name == "nt" else "bin")
    install(binaries / "python", wheel)
    return binaries


def test_the_wheel_holds_the_package_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    there = {
        path.relative_to(SOURCE).as_posix()
        for path in (SOURCE / "codomain").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert held == there
    assert {"codomain/py.typed", "codomain/__init__.pyi", "codomain/encode/encoders/minilm/NOTICE"} <= held


def test_the_index_page_would_be_whole(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        page = HeaderParser().parsestr(archive.read(next(n for n in names if n.endswith("/METADATA"))).decode())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert page["Version"] == codomain.__version__
    assert page["License-Expression"] == project["license"]
    assert {line.split(", ")[0] for line in page.get_all("Project-URL")} == set(project["urls"])
    assert sum("/licenses/" in name for name in names) == len(project["license-files"])
    assert page.get_payload().startswith("# Codomain")


def test_the_core_is_light_and_needs_no_extra(bare, tmp_path):
    site = Path(
        call(bare / "python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=tmp_path).strip()
    )
    files = [path for path in site.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert sum(path.stat().st_size for path in files) < 500e6
    code = "import time; t = time.process_time(); import codomain; print(time.process_time() - t)"
    assert min(float(call(bare / "python", "-W", "error", "-c", code, cwd=tmp_path)) for _ in range(3)) < 0.3
    assert call(bare / "codomain", "--version", cwd=tmp_path) == f"{codomain.__version__}\n"
    assert "relative-representations" in call(bare / "codomain", "methods", cwd=tmp_path)


def test_with_text_a_table_is_studied_and_searched(wheel, bare, tmp_path):
    install(bare / "python", f"{wheel}[text]")
    with (tmp_path / "mine.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["text"], *([row] for row in ROWS)])
    call(bare / "codomain", "study", "mine.csv", cwd=tmp_path)
    assert (tmp_path / "mine-report.html").stat().st_size > 10_000
    found = json.loads(call(bare / "codomain", "search", "mine.space", "the parcel was late", "--json", cwd=tmp_path))
    assert found[0]["text"] in ROWS[:3]
