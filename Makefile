# Everything a newcomer or CI needs. Python 3.11 or newer and make are enough; the rest is set up here.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8080
RUN_DIR ?= .run
DOCS ?=
DATA ?=
CEILING ?=

.DEFAULT_GOAL := help
.PHONY: help run install dev proto test lint format bench clean

help: ## What can be done here
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

run: install ## Start the product and do a real research session (DOCS=folder or DATA=file.csv: on your own files)
	@# exec: what signals make's child reaches prsm itself.
	exec $(BIN)/prsm run --data-dir "$(RUN_DIR)" --port $(PORT) $(if $(DOCS),--docs "$(DOCS)") $(if $(DATA),--data "$(DATA)")

install: $(VENV)/.installed proto ## Virtual environment, locked dependencies, generated code

dev: $(VENV)/.installed-dev proto ## The same with the tools for tests and checks

proto: $(VENV)/.installed ## Generate the code that the protos stand for (into gen/)
	@$(BIN)/python -m tools.codegen

test: dev ## All tests, against a real NATS server, SQLite and a real PostgreSQL
	$(BIN)/python -m pytest $(ARGS)

lint: dev ## ruff, strict typing, import rules, buf lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache
	$(BIN)/buf lint gen/descriptors.binpb --config proto/buf.yaml
	$(BIN)/mypy kit services worker gateway cli deploy tools tests bench

format: dev ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: dev ## Create, get and list through the gateway (CEILING=path of a reference server to interleave with)
	$(BIN)/python -m bench.gateway $(if $(CEILING),--ceiling "$(CEILING)") $(ARGS)

clean: ## Remove what was set up and generated (not your data in RUN_DIR)
	rm -rf $(VENV) gen build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed: make PYTHON=python3.12 ...") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements.lock pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m tools.codegen
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@
