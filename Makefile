# Two commands need nothing but Python 3.11+: `make demo` and `make test`.
PYTHON ?= python3
DEMO_DIR ?= demo
VENV := .venv
BIN := $(VENV)/bin
# Tests are handed out one at a time, so that a long one holds up only its own worker.
PYTEST := $(BIN)/python -m pytest -n 2 --dist loadgroup

.PHONY: demo test claims all bench check format docs changelog clean
.DELETE_ON_ERROR:

demo: $(VENV)/.run
	@$(BIN)/codomain demo --folder "$(DEMO_DIR)"

# All tests; claims and scikit-learn's checks only where something changed since they were recorded, and in their turn.
test: $(VENV)/.dev
	$(PYTEST)

# All claims, whatever has changed.
claims: $(VENV)/.dev
	$(PYTEST) tests/test_every_claim.py --rerun all

# All tests, all claims, all checks: for the night.
all: $(VENV)/.dev
	$(PYTEST) --rerun all

bench: $(VENV)/.dev
	$(BIN)/python -m benchmarks

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(VENV)/.dev
	$(BIN)/codomain methods --markdown > docs/methods.md

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
	rm -rf $(VENV) demo .pytest_cache .mypy_cache .ruff_cache
