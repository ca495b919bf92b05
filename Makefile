# Everything a newcomer or CI needs. Python 3.11 or newer and make are enough; the rest is set up here.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEPLOY_VENV := .venv-deploy
BENCH_VENV := .venv-bench
PORT ?= 8080
RUN_DIR ?= .run
DOCS ?=
DATA ?=
CEILING ?=
# Tests on so many processes. tests/conftest.py says which stay together; the long ones are among the first.
JOBS ?= 2
PARALLEL := -n $(JOBS) --dist loadgroup --no-loadscope-reorder

# pip, telling now and then how far it is. The loop hands its failure on, which a pipe alone would lose.
PIP = PYTHONUNBUFFERED=1 $(BIN)/python -m pip install --progress-bar off --disable-pip-version-check
TELL = || echo failed; } | { n=0; while read -r word rest; do case $$word in \
  Collecting | Processing) n=$$((n + 1)); [ $$((n % 20)) -ne 0 ] || echo "  $$n packages fetched" ;; \
  Installing) echo "  installing them" ;; \
  failed) exit 1 ;; esac; done; }

.DEFAULT_GOAL := help
.PHONY: help run install dev dense bench-search proto test contract fuzz fuzz-documents multihost chaos eval simulate lint lint-openapi lint-deploy format bench bench-gateway bench-analysis bench-streams bench-durability bench-documents bench-results fuzz-reports clean images-check sbom settings-table

help: ## What can be done here
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

run: install ## Start the product and do a real research session (DOCS=folder or DATA=file.csv: on your own files)
	@# exec: what signals make's child reaches prsm itself.
	exec $(BIN)/prsm run --data-dir "$(RUN_DIR)" --port $(PORT) $(if $(DOCS),--docs "$(DOCS)") $(if $(DATA),--data "$(DATA)")

install: $(VENV)/.installed proto ## Virtual environment, locked dependencies, generated code

dev: $(VENV)/.installed-dev proto ## The same with the tools for tests and checks

dense: install ## The dense part of search beside it: an encoder (then PRSM_LIBRARY_DENSE=true)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-dense.lock

proto: $(VENV)/.installed ## Generate the code that the protos stand for (into gen/)
	@$(BIN)/python -m tools.codegen

test: dev ## All tests, against a real NATS server, SQLite and a real PostgreSQL
	$(BIN)/python -m pytest $(PARALLEL) $(ARGS)

fuzz: dev ## Both edges against the API's description, for longer (ARGS="--seconds 600 --examples 200 --seed 7 --edge envoy")
	$(BIN)/python -m tests.fuzz $(ARGS)

fuzz-documents: dev ## Mutated files of every kind through the parser processes (ARGS="--files 10000 --seed 1"; DATA=folder with more originals)
	$(BIN)/python -m tests.mutations $(if $(DATA),--data "$(DATA)") $(ARGS)

fuzz-reports: dev ## Hostile texts in every field, and random reports in all scripts read back (ARGS="--seconds 60 --seed 1", EXAMPLES="--examples 1000")
	$(BIN)/python -m tests.injection $(ARGS)
	$(BIN)/python -m tests.roundtrip $(EXAMPLES)

multihost: dev ## Ten hosts as network namespaces, things cut off while sessions run (root, iproute2; ARGS="worker" for some faults)
	$(BIN)/python -m tests.multihost $(ARGS)

chaos: dev ## Break the real product on purpose and prove that nothing is lost (ARGS="--seconds 1800 --sessions 2000 --seed 7")
	$(BIN)/python -m tests.chaos $(ARGS)

eval: dev ## Quality on collections of documents and questions: DATA=folder (ARGS="--parts retrieval --sessions 50")
	@test -n "$(DATA)" || { echo "make eval DATA=folder: docs/evaluation.md says what it may hold"; exit 2; }
	$(BIN)/python -m eval --data "$(DATA)" $(ARGS)

simulate: dev ## Coverage of intervals and false positives of tests, by simulation (ARGS="--runs 2000 --seed 1")
	$(BIN)/python -m eval.simulation $(ARGS)

contract: dev ## The REST contract through both edges, with a table of what passed
	$(BIN)/python -m pytest $(PARALLEL) tests/contract tests/edges $(ARGS)

lint: dev ## ruff, strict typing, import rules, buf lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache
	$(BIN)/buf lint gen/descriptors.binpb --config proto/buf.yaml
	$(BIN)/mypy kit services worker gateway cli deploy tools tests bench eval

lint-openapi: dev $(DEPLOY_VENV)/.installed ## The API's description: the linter from npm, and what breaks clients of the last release
	$(BIN)/python -m tools.openapi lint
	$(BIN)/python -m tools.openapi compare

lint-deploy: lint-openapi ## Manifests, images, Envoy's configuration and alert rules; offline but for the first time
	$(BIN)/python -m deploy.checks $(ARGS)

images-check: dev ## Run the images' own steps in a fresh tree, and each process out of it (root; ARGS="session" for some)
	PYTHONPATH="$(CURDIR)" $(BIN)/python -u -P -m deploy.docker.check $(ARGS)

sbom: dev ## A bill of materials for each image, in CycloneDX JSON, into build/sbom/
	@mkdir -p build/sbom
	@for lock in deploy/docker/locks/*.lock; do name=$$(basename $$lock .lock); \
	  $(BIN)/python -P deploy/docker/sbom.py $$name $$lock $(BIN)/python > build/sbom/$$name.cdx.json || exit 1; \
	  echo "build/sbom/$$name.cdx.json"; done

settings-table: dev ## Write docs/settings.md and the images' lock files anew from the code
	$(BIN)/python -m tools.settings_table
	$(BIN)/python -m deploy.docker.locks

format: dev ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: bench-gateway bench-analysis ## The gateway, then analysis by size

bench-gateway: dev ## Create, get and list through the gateway (CEILING=path of a reference server to interleave with)
	$(BIN)/python -m bench.gateway $(if $(CEILING),--ceiling "$(CEILING)") $(ARGS)

bench-analysis: dev ## Time and memory of an analysis by size, beside plain pandas (ARGS="--rows 1000 1000000 --columns 50")
	$(BIN)/python -m bench.analysis $(ARGS)

bench-streams: dev ## Ten thousand idle event streams: memory, processor time, latency (ARGS="--streams 3000")
	$(BIN)/python -m bench.streams $(ARGS)

bench-search: dev ## The library's index by size: time to build, memory, p50 and p95 of searches (ARGS="--passages 1000 100000")
	$(BIN)/python -m bench.search $(ARGS)

bench-durability: dev ## What it costs that nothing acknowledged is lost: JetStream, SQLite, PostgreSQL (ARGS="--seconds 5")
	$(BIN)/python -m bench.durability $(ARGS)

bench-documents: dev $(BENCH_VENV)/.installed ## Time, memory and size per format beside pandoc, WeasyPrint, ReportLab; exports through the product (ARGS="--rounds 7")
	$(BIN)/python -m bench.documents $(ARGS)

bench-results: dev ## Large results: first page, next page, all of it; time and memory (ARGS="--report", ARGS="--passages 100000")
	$(BIN)/python -m bench.results_size $(ARGS)

clean: ## Remove what was set up and generated (not your data in RUN_DIR)
	rm -rf $(VENV) $(DEPLOY_VENV) $(BENCH_VENV) .tools gen build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed: make PYTHON=python3.12 ...") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements.lock requirements-fonts.lock pyproject.toml | $(VENV)/bin/python
	@echo "Fetching and installing the packages of requirements.lock: some minutes the first time"
	@{ $(PIP) --require-hashes -r requirements.lock $(TELL)
	@{ $(PIP) --no-deps --require-hashes -r requirements-fonts.lock $(TELL)
	$(BIN)/python -m tools.codegen
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock $(VENV)/.installed
	@echo "Fetching and installing the tools of requirements-dev.lock: some minutes the first time"
	@{ $(PIP) --require-hashes -r requirements-dev.lock $(TELL)
	@touch $@

# checkov needs other versions of libraries than the product, so it lives apart.
$(DEPLOY_VENV)/.installed: requirements-deploy.lock | $(VENV)/bin/python
	$(PYTHON) -m venv $(DEPLOY_VENV)
	$(DEPLOY_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-deploy.lock
	@touch $@

$(BENCH_VENV)/.installed: requirements-bench.lock | $(VENV)/bin/python
	$(PYTHON) -m venv $(BENCH_VENV)
	$(BENCH_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-bench.lock
	@touch $@
