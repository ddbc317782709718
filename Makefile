# `make help` tells what there is. Nothing here needs more than Python and make; uv is used where it is.
TESSERA_HOME ?= var
export TESSERA_HOME
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
IN_PARALLEL := --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder
# Tests write gigabytes and forget them: in memory, where there is room.
SCRATCH := $(shell df -Pk /dev/shm 2>/dev/null | awk 'NR == 2 && $$4 > 8000000 { print "/dev/shm" }')
PYTEST = scratch=$$(mktemp -d "$(or $(SCRATCH),$${TMPDIR:-/tmp})/tessera-tests.XXXXXX") && \
  trap 'rm -rf "$$scratch"' EXIT && TMPDIR="$$scratch" $(BIN)/python -m pytest $(IN_PARALLEL)
# The longest first; what each says stays together where this make can see to it.
LINTERS := lint-types lint-sql lint-layers lint-yaml lint-python lint-docker
BLOCKWISE := $(if $(filter output-sync,$(.FEATURES)),--output-sync=target)
PYTHONS := python3.12 python3.13 python3.11 python3 python

.PHONY: help run airflow test quick histories real soak lint picture lock venv clean $(LINTERS)
.DEFAULT_GOAL := help

help: ## tell what there is
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(STAMP) ## the whole pipeline through Airflow, on a made-up cohort if the inbox is empty
	@test -n "$$(find "$$TESSERA_HOME/inbox" -type f -print 2>/dev/null | head -n 1)" || \
	  { echo "The inbox is empty: a made-up cohort goes in."; \
	    $(BIN)/tessera synth --out "$$TESSERA_HOME/inbox"; }
	@$(BIN)/python -m pipelines.embedded_airflow run-once || { code=$$?; [ $$code -eq 1 ] || exit $$code; }

airflow: $(STAMP) ## keep Airflow running, so that files dropped into the inbox are taken in
	@$(BIN)/python -m pipelines.embedded_airflow start

test: $(STAMP) ## every test; what needs a browser or the shared data skips, with its reason
	@$(PYTEST) -m "not soak $(if $(HISTORIES),,and not histories)"

quick: $(STAMP) ## the tests that need no Airflow, browser or large build
	@$(PYTEST) -m "not slow and not real and not soak and not histories"

histories: $(STAMP) ## night after night of whole builds, each held against a build from nothing
	@$(PYTEST) -m histories

real: $(STAMP) ## real data through the pipeline, against the numbers that others published
	@$(BIN)/python -m tests.real.real_data

soak: $(STAMP) ## hundreds of orders and kills, every format; results go to benchmarks/results/
	@$(PYTEST) -m soak
	@$(BIN)/python -m tests.soak
	@$(BIN)/python -m tests.whole_histories --schools 2
	@$(BIN)/python -m tests.synth.formats

lint: $(STAMP) ## ruff, mypy, import-linter, sqlfluff, yamllint, hadolint
	@$(MAKE) --no-print-directory --jobs 2 --keep-going $(BLOCKWISE) $(LINTERS)

lint-types:
	@$(BIN)/mypy
lint-sql:
	@$(BIN)/sqlfluff lint --disable-progress-bar --processes 2 dbt
lint-layers:
	@$(BIN)/lint-imports --no-logo
lint-yaml:
	@$(BIN)/yamllint --strict .
lint-python:
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
lint-docker:
	@$(BIN)/hadolint docker/Dockerfile

picture: $(STAMP) ## the pictures of docs/images, from the current pack
	@$(BIN)/tessera pack build
	@$(BIN)/tessera pack build --role learner
	@$(BIN)/tessera pack build --role programme
	@$(BIN)/python -m pipelines.committee.picture "$$TESSERA_HOME/packs/current" docs/images \
	  "$$TESSERA_HOME/restricted/views"

lock: pyproject.toml ## write constraints.txt anew (needs uv)
	@{ sed '/^[^#]/,$$d' constraints.txt; \
	  uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 \
	    --fork-strategy fewest --upgrade --quiet --no-header --no-annotate \
	    --no-emit-index-url --no-emit-find-links | sed 's/ ;.*//'; } > .constraints.new
	@mv .constraints.new constraints.txt

venv: $(STAMP) ## the environment in .venv, from constraints.txt

clean: ## remove the environment and caches; never the home
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis \
	  .import_linter_cache dbt/target dbt/logs
	find dags pipelines expectations tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@for candidate in $(PYTHON) $(PYTHONS); do \
	  if "$$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; \
	  then found=$$candidate; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	  echo "Tessera needs Python 3.11, 3.12 or 3.13, and found none of $(PYTHONS)." >&2; \
	  echo "Install one, or name it: make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)" >&2; exit 2; \
	fi; \
	echo "Making $(VENV) with $$($$found --version)"; \
	if command -v uv >/dev/null; then uv venv --quiet --allow-existing --python "$$(command -v $$found)" $(VENV); \
	elif ! "$$found" -m venv $(VENV); then \
	  rm -rf $(VENV); \
	  echo "$$found cannot make environments: on Debian, apt-get install python3-venv." >&2; exit 2; \
	fi

$(STAMP): constraints.txt pyproject.toml | $(BIN)/python
	@echo "Installing what constraints.txt names; the first time takes a minute or two"
	@if command -v uv >/dev/null; then \
	  uv pip install --quiet --compile-bytecode --python $(BIN)/python -c constraints.txt -e '.[dev]'; \
	else \
	  $(BIN)/python -m pip install --quiet --no-compile --disable-pip-version-check \
	    -c constraints.txt -e '.[dev]' && \
	  { $(BIN)/python -m compileall -qq -j 0 $(VENV)/lib || true; }; \
	fi
	@$(BIN)/python -m compileall -q pipelines expectations dags
	@touch $@
