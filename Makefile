# The two commands a newcomer needs are `make demo` and `make test`.
# Each makes its own environment in .venv and installs the pinned dependencies.

VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt
SOURCES := src tests benchmarks examples
# One process per core; BLAS threads on top of that would only fight for them.
PYTEST := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses=auto --dist=loadgroup

.PHONY: demo test test-all lint types layers docs clean

demo: $(VENV)/.core
	$(BIN)/equipoise demo

test: $(VENV)/.dev lint types layers
	$(PYTEST) -m "not peer and not slow"

test-all: $(VENV)/.all lint types layers docs
	$(PYTEST)

lint: $(VENV)/.dev
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)

types: $(VENV)/.dev
	$(BIN)/mypy

layers: $(VENV)/.dev
	$(BIN)/lint-imports

docs: $(VENV)/.all
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

$(VENV)/.venv:
	@# The first Python 3.11 or newer that really runs: a shim on the PATH may not.
	@for p in $(PYTHON) python3 python3.11 python3.12 python3.13 python3.14; do \
	  if $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then exec $$p -m venv $(VENV); fi; \
	done; echo "Equipoise needs Python 3.11 or newer; try make PYTHON=/path/to/python3.11"; exit 1
	touch $@

$(VENV)/.core: $(VENV)/.venv pyproject.toml constraints.txt
	$(PIP) --editable .
	touch $@

$(VENV)/.dev: $(VENV)/.core
	$(PIP) --editable '.[dev]'
	touch $@

$(VENV)/.all: $(VENV)/.dev
	$(PIP) --editable '.[dev,docs,environments,peers,tensorboard]'
	@$(PIP) --editable '.[compiled-peers]' || echo 'No C compiler: comparisons with sgamesolver are skipped.'
	touch $@

clean:
	rm -rf $(VENV) build dist site out .mypy_cache .pytest_cache .ruff_cache .hypothesis
