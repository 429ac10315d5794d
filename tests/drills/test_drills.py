"""A few cases of each drill, so that they can be trusted when all are run."""

import subprocess
import sys
from pathlib import Path

from killed import _undated
from kills import different
from seeds import FORMS

HERE = Path(__file__).parent


def drilled(*words: str) -> subprocess.CompletedProcess[str]:
    """Run the drills in a process of its own: they fork, which a process with threads must not."""
    return subprocess.run([sys.executable, HERE, *words], capture_output=True, text=True, timeout=600)


def test_a_few_kills_and_damages_and_types_are_survived(tmp_path: Path) -> None:
    page = tmp_path / "drills.md"
    page.write_text((HERE.parents[1] / "docs/evidence/drills.md").read_text())
    commands = [word for name in ("study", "label") for word in ("--command", name)]
    done = drilled("--kills", "4", *commands, "--damages", "40", "--fuzz", "0", "--write", str(page))
    assert done.returncode == 0, done.stdout + done.stderr
    table = page.read_text().partition("|---|")[2]
    assert table.count("2 opened as before or after, 2 ended identically") == 2
    assert "refused by name" in table and "made again, equal" in table and "kept exactly" in table
    assert page.read_text().startswith("# What spaces") and "## How it is measured" in page.read_text()


def test_two_damaged_inputs_of_every_form_are_read_or_refused() -> None:
    done = drilled("--kills", "0", "--damages", "0", "--types", "0", "--fuzz", str(2 * len(FORMS)))
    assert done.returncode == 0, done.stdout + done.stderr


def test_two_states_are_the_same_only_when_nothing_but_dates_differs() -> None:
    assert different({"a": 1, "b": 2}, {"b": 3, "c": 4}) == ["a", "b", "c"] and not different({"a": 1}, {"a": 1})
    one = b'{"when": "2026-11-27T20:22:32+00:00", "rows": 3}'
    assert _undated(one) == _undated(one.replace(b"22:32", b"22:33")) != _undated(one.replace(b"3}", b"4}"))
    assert _undated(b"made 2026-11-27 20:22, 3 rows") == _undated(b"made 2026-11-28 20:23, 3 rows")
