# One command on a machine that has Python 3.11, git and make: `make demo`, `make test`.
# On Linux PyPI's torch brings CUDA with it, gigabytes of it. For a machine without a GPU:
#   PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu make demo

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV ?= .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: demo test check docs site registry wheel constraints clean

## demo: plan on the built-in data, train what the plan says, ask the model
demo: $(INSTALLED)
	$(BIN)/effauto plan --search-time 60s --output out/plan.json
	$(BIN)/effauto run out/plan.json --output out/model
	$(BIN)/python docs/demo.py

## test: all tests on two cores, the fast ones first; then, alone, those that hold a time
test: $(INSTALLED)
	$(BIN)/pytest -n 2 -m "not slow and not timing"
	$(BIN)/pytest -n 2 -m "slow and not timing"
	$(BIN)/pytest -m timing

## check: style, types, layers
check: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

## docs: write anew what is generated in README.md and docs/
docs: $(INSTALLED)
	$(BIN)/python docs/generate.py

## site: the documentation as a site in dist/site; a broken link ends it
site: $(INSTALLED)
	$(BIN)/python docs/site.py dist/pages
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

## registry: build registry.db, the knowledge that ships, from benchmarks/measured/
registry: $(INSTALLED)
	$(BIN)/python benchmarks/registry.py

## wheel: build dist/effauto-*.whl
wheel: $(INSTALLED)
	$(BIN)/python -m build --wheel --no-isolation

## constraints: pin what this environment holds, in which the tests passed
constraints: $(INSTALLED)
	grep '^#' constraints.txt > constraints.new
	$(BIN)/pip freeze --exclude-editable | grep -v ' @ ' | sed 's/+cpu$$//' >> constraints.new
	mv constraints.new constraints.txt

clean:
	rm -rf $(VENV) dist out

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "effauto needs Python 3.11")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	# the reference for tests of effauto.transfer; it asks for torchvision and uses none of it
	$(BIN)/pip install --quiet --no-deps mup==1.0.0
	touch $@
