# Two commands are enough: `make serve` and `make test`. `make help` lists the rest.

PYTHON ?= python3
PORT   ?= 8000
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
BUILT  := server/static/built/.ready

.PHONY: help serve build islands browser test fast lint context ontology lock screenshots wheel clean

help:  ## list the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

serve: build  ## build the graph, validate it, serve it (PORT=8000)
	@$(BIN)/whosays serve --port $(PORT)

islands: $(BUILT)  ## build what moves in the pages

build: $(READY) $(BUILT)  ## build and validate the graph
	@echo "== building the graph"
	@$(BIN)/whosays build

test: $(READY) $(BUILT) browser  ## run the whole test suite
	@echo "== lint and types"
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy
	@echo "== tests"
	@$(BIN)/pytest -n auto --dist worksteal

fast: $(READY) $(BUILT)  ## run the tests that take seconds
	@$(BIN)/pytest -n auto --dist worksteal -m "not slow"

lint: $(READY)  ## format the code, then check style and types
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix . && $(BIN)/mypy

context: $(READY)  ## write ontology/context.jsonld anew from the ontology
	@$(BIN)/python -m kg.vocabulary > ontology/context.jsonld.new && mv ontology/context.jsonld.new ontology/context.jsonld

ontology: $(READY)  ## report on the ontology: logic, quality checks, questions, cost of reasoning (some minutes)
	@$(BIN)/pytest tests/ontology tests/questions -q
	@$(BIN)/python -m tests.ontology.report

screenshots: $(READY) $(BUILT)  ## take the pictures of the README anew
	@$(BIN)/python -m tests.end_to_end.screenshots

wheel: $(READY) $(BUILT)  ## build the wheel into dist/
	@$(BIN)/python -m build --wheel --no-isolation

lock: $(READY)  ## resolve the dependencies anew into requirements.lock
	@$(BIN)/pip-compile --quiet --all-extras --all-build-deps --allow-unsafe --generate-hashes --strip-extras \
	    --no-emit-index-url --no-emit-find-links --output-file requirements.lock pyproject.toml

browser:  # Chromium for the tests of pages, where it is missing and may be installed
	@command -v chromium >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
	    apt-get update -q && apt-get install -y -q --no-install-recommends chromium fonts-noto-cjk; } || \
	    echo "== Chromium is missing and cannot be installed from here: the tests of pages in a browser are SKIPPED"

clean:  ## remove the environment and what was built
	@rm -rf $(VENV) build dist whosays-store server/static/built server/islands/node_modules .mypy_cache .ruff_cache .pytest_cache

$(READY): requirements.lock pyproject.toml
	@echo "== making the environment in $(VENV)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed; try: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@echo "== installing the locked dependencies"
	@$(BIN)/python -m pip install --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(BUILT): $(READY) server/islands/package-lock.json server/islands/tsconfig.json server/islands/build.py $(shell find server/islands/src -name '*.ts' -o -name '*.css')
	@echo "== building the islands of the pages"
	@$(BIN)/python -m server.islands.build || echo "== the islands could not be built: the pages work without them, with less ease"
	@touch $@ 2>/dev/null || true
