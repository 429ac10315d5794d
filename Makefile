# Two commands need nothing but Python 3.11+: `make demo` and `make test`.
PYTHON ?= python3
DEMO_DIR ?= demo
VENV := .venv
BIN := $(VENV)/bin
# Tests are handed out one at a time, so that a long one holds up only its own worker.
PYTEST := $(BIN)/python -m pytest -n 2 --dist loadgroup

.PHONY: demo test claims all bench drills check format docs changelog clean
.DELETE_ON_ERROR:

demo: $(VENV)/.run
	@$(BIN)/codomain demo --folder "$(DEMO_DIR)"

# All tests; claims and scikit-learn's checks only where something changed since they were recorded, and in their turn.
# `make test SINCE=origin/main` runs only what a change since that commit can reach.
SINCE ?=
test: $(VENV)/.dev
	$(PYTEST) $(if $(SINCE),--since $(SINCE))

# All claims, whatever has changed.
claims: $(VENV)/.dev
	$(PYTEST) tests/test_every_claim.py --rerun all

# All tests, all claims, all checks: for the night.
all: $(VENV)/.dev
	$(PYTEST) --rerun all

bench: $(VENV)/.dev
	$(BIN)/python -m benchmarks

# The reliability figures of docs/evidence/drills.md: kills, damages, fuzzed inputs, Arrow types; an hour on two cores.
drills: $(VENV)/.dev
	$(BIN)/python -u tests/drills --kills 200 --damages 600 --fuzz 10000 --write docs/evidence/drills.md

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(VENV)/.dev
	$(BIN)/python -c 'from pathlib import Path; from codomain.core.pages import write_pages; write_pages(Path("build/docs/methods"))'
	@echo build/docs/methods/index.md

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; type: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
	  { rm -rf $(VENV); echo "Python's venv module is missing; on Debian type: apt-get install python3-venv"; exit 1; }

$(VENV)/.run: $(VENV)/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[text]' -c constraints.txt
	@touch $@

$(VENV)/.dev: $(VENV)/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]' -c constraints.txt
	@touch $@ $(VENV)/.run

changelog: $(VENV)/.dev
	$(BIN)/towncrier build --version "$(VERSION)"

clean:
	rm -rf $(VENV) .venv-* build demo .pytest_cache .mypy_cache .ruff_cache

# The quick tests on other Pythons, without torch (gigabytes): those of EVERYWHERE that this machine has and can start.
EVERYWHERE ?= python3.12 python3.13
QUICK := tests/cli tests/core tests/data tests/space tests/test_every_import.py \
  tests/align/test_procrustes.py tests/classify/test_fudd.py tests/cluster tests/encode/encoders/test_minilm.py \
  tests/extend tests/guard tests/measure/one_space tests/search/test_muvera.py tests/shrink/test_mrl.py \
  tests/workbench/test_study.py
.PHONY: everywhere
everywhere:
	@set -e; ran=; for python in $(EVERYWHERE); do \
	  export PYENV_VERSION="$${python##*python}"; : 'a shim of pyenv starts only when it is told which'; \
	  version=$$($$python -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || \
	    { echo "$$python: not here"; continue; }; \
	  echo "$$python: Python $$version"; ran=yes; \
	  new=.venv-$$version; \
	  if ! [ $$new/.test -nt pyproject.toml ] || ! [ $$new/.test -nt constraints.txt ]; then \
	    $$python -m venv $$new; \
	    $$new/bin/python -m pip install --quiet --disable-pip-version-check -e '.[test]' -c constraints.txt; \
	    touch $$new/.test; \
	  fi; \
	  $$new/bin/python -W error -c 'import codomain'; \
	  $$new/bin/python -m pytest -n 2 --dist loadgroup -m 'not slow and not page' $(QUICK); \
	done; test -n "$$ran" || { echo "Type: make everywhere EVERYWHERE='/path/to/python3.12 /path/to/python3.13'"; exit 1; }
