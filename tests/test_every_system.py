"""The main job needs nothing that only POSIX has: the modules are taken away and a table is studied all the same."""

import json
import subprocess
import sys

from codomain.core.catalogue import PACKAGE

WITHOUT_POSIX = """
import os, subprocess, sys, types  # subprocess asks for msvcrt to learn which system this is: so it comes before it
for name in ("fcntl", "termios", "tty", "pty", "resource", "pwd", "grp", "syslog", "readline"):
    sys.modules[name] = None
for name in ("fork", "forkpty", "killpg", "getuid", "sched_getaffinity", "posix_fallocate", "O_DIRECTORY"):
    vars(os).pop(name, None)
opened, link = os.open, os.link
def no_folders(path, flags, *rest, **more):
    if os.path.isdir(path):
        raise PermissionError(13, "Permission denied", path)  # as on Windows
    return opened(path, flags, *rest, **more)
os.open = no_folders
replace, rename = os.replace, os.rename
def allowed(path):
    assert not set(os.path.basename(os.fspath(path))) & set('<>:"|?*'), f"Windows forbids this name: {path}"
os.replace = lambda a, b, **more: (allowed(b), replace(a, b, **more))[1]
os.rename = lambda a, b, **more: (allowed(b), rename(a, b, **more))[1]
locks = []
sys.modules["msvcrt"] = types.SimpleNamespace(LK_NBLCK=2, locking=lambda handle, mode, count: locks.append(handle))
"""


def run(code, folder):
    """Run code in a process without POSIX and return what it prints last, as JSON."""
    command = [sys.executable, "-c", WITHOUT_POSIX + code]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=300)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_every_file_of_the_main_job_is_imported(tmp_path):
    mains = ("core", "space", "workbench", "cli", "search/engine", "shrink/index", "encode/encoders")
    files = [path for main in mains for path in (PACKAGE / main).rglob("*.py") if path.stem != "kernels"]
    names = [".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts) for path in files]
    code = f"""
import importlib, json
for name in {names}:
    importlib.import_module(name)
print(json.dumps(sorted(name for name in sys.modules if name.startswith("codomain."))))
"""
    assert set(names) <= set(run(code, tmp_path)) | {name for name in names if name.endswith("__init__")}


def test_a_table_is_studied_opened_searched_and_labelled_from_a_file(tmp_path):
    rows = [f"{number},{word} number {number} on the table" for number in range(40) for word in ("apple", "bolt")]
    ids = range(len(rows))
    (tmp_path / "rows.csv").write_text(
        "id,text\n" + "\n".join(f"{i},{row.split(',')[1]}" for i, row in zip(ids, rows, strict=True)) + "\n"
    )
    (tmp_path / "labels.csv").write_text(
        "id,label\n" + "\n".join(f"{i},{rows[i].split(',')[1].split()[0]}" for i in list(ids)[:30]) + "\n"
    )
    code = """
import json, codomain
from codomain.workbench import label_space
if __name__ == "__main__":
    table = codomain.read("rows.csv")
    done = codomain.study("rows.csv", space="rows.space", report="rows.html")
    space = codomain.open("rows.space")
    labelled = label_space("rows.space", labels="labels.csv", column="label")
    print(json.dumps([len(space), sorted(space.parts), len(labelled.space), len(locks)]))
"""
    length, parts, n_labelled, locks = run(code, tmp_path)
    assert length == n_labelled == len(rows)
    assert {"neighbors", "groups", "map", "audit"} <= set(parts)
    assert locks > 3
    assert (tmp_path / "rows.html").stat().st_size > 100_000


def test_keys_on_a_terminal_are_refused_with_one_sentence(tmp_path):
    code = """
import json
from codomain.core import UserError
from codomain.workbench.label.keyboard import Keyboard
keyboard = Keyboard()
keyboard.live = True
try:
    keyboard.__enter__()
except UserError as error:
    print(json.dumps(str(error)))
"""
    assert "needs a terminal of Linux, macOS or WSL" in run(code, tmp_path)
