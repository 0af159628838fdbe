SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
PYTEST_ARGS ?=
# Each process starts the servers that its tests need; a test file stays in one process.
TEST_PROCESSES ?= 2
# The theme would announce its successor at every build.
export NO_MKDOCS_2_WARNING := 1

.PHONY: help setup demo test check bench docs constraints clean

help:
	@echo "make setup   create .venv and install loom with everything it can use"
	@echo "make demo    run examples/flights end to end (SERVE=1 leaves the API running)"
	@echo "make test    run the tests (PYTEST_ARGS='-k name' narrows them)"
	@echo "make check   format, lint, types, layers, size gate, docs"
	@echo "make bench   compare loom with hand-written code"
	@echo "make docs    build the documentation into site/"

setup: $(STAMP)

# The stamp is newer than both files only after an installation that ended well.
$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "loom needs Python 3.11 or newer, but '$(PYTHON)' is $$($(PYTHON) --version 2>&1)." \
	         "Try: make setup PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[all,dev,demo]'
	@touch $@

demo: $(STAMP)
	SERVE=$(SERVE) $(BIN)/python -m examples.flights

test: $(STAMP)
	$(BIN)/python -m pytest -n $(TEST_PROCESSES) --dist loadfile $(PYTEST_ARGS)

check: $(STAMP)
	$(BIN)/python tools/check.py

bench: $(STAMP)
	$(BIN)/python -m benchmarks

docs: $(STAMP)
	$(BIN)/mkdocs build --strict --quiet

# Resolves the newest versions again; every other target only reads the result.
constraints: $(STAMP)
	$(BIN)/python tools/constraints.py

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .import_linter_cache site
