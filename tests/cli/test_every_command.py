"""Every command has a file of its own, a help text, and exit 2 for a typing error; found by walking the application."""

import inspect
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

import codomain.cli

FOLDER = Path(codomain.cli.__file__).parent
HEAVY = {"numpy", "pyarrow", "scipy", "sklearn", "faiss", "jinja2", "torch", "onnxruntime", "pandas"}


def walk(group: object, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], object]]:
    """Every command with the words that call it."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from walk(command, (*path, name))
        else:
            yield (*path, name), command


COMMANDS = dict(walk(typer.main.get_command(codomain.cli.app)))
every_command = pytest.mark.parametrize("words", COMMANDS, ids=" ".join)


def typed(*words: str) -> object:
    return CliRunner().invoke(codomain.cli.app, words)


def test_the_walk_finds_the_commands_that_the_help_shows() -> None:
    shown = typed("--help").stdout
    assert len(COMMANDS) >= 15
    for first, *_ in COMMANDS:
        assert f" {first} " in shown


@every_command
def test_every_command_has_a_file_of_its_own(words: tuple[str, ...]) -> None:
    assert COMMANDS[words].callback.__module__ == f"codomain.cli.{words[0]}"


@every_command
def test_every_command_explains_itself(words: tuple[str, ...]) -> None:
    answer = typed(*words, "--help")
    assert answer.exit_code == 0, answer.output
    assert "Usage" in answer.stdout
    first_line = inspect.getdoc(COMMANDS[words].callback).splitlines()[0]
    assert " ".join(first_line.split()[:4]) in answer.stdout


@every_command
def test_every_command_refuses_an_option_that_it_does_not_know(words: tuple[str, ...]) -> None:
    answer = typed(*words, "--no-such-option")
    assert answer.exit_code == 2
    assert "--no-such-option" in answer.stderr
    assert answer.stdout == ""


def test_the_files_of_the_package_are_reached_by_their_names() -> None:
    for path in FOLDER.glob("[!_]*.py"):
        assert inspect.ismodule(getattr(codomain.cli, path.stem)), path.name


@pytest.mark.parametrize("flag", ["--help", "--version"])
def test_help_and_version_load_nothing_heavy(flag: str) -> None:
    code = (
        "import json, sys\nfrom codomain.cli import main\n"
        f"sys.argv = ['codomain', {flag!r}]\n"
        "try:\n    main()\nfinally:\n    print(json.dumps(sorted(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {name.split(".")[0] for name in json.loads(done.stderr)} & HEAVY == set()


def test_the_package_runs_as_a_module() -> None:
    done = subprocess.run([sys.executable, "-m", "codomain", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"{codomain.__version__}\n"
