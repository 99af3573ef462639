# Carry on one machine. Every target sets up what it needs; `make run` and `make test` are enough.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

UV := uv==0.13.8
VENV := .venv
STAMP := $(VENV)/.carry-installed
# Whole stories start many processes: each would compile the project anew.
unexport PYTHONDONTWRITEBYTECODE
PY := $(VENV)/bin/python

# The first interpreter that can make an environment; 3.12 and 3.11 before 3.13, because the
# embedded Redis installs by itself there.
FIND_PYTHON = for python in $(PYTHON) python3.12 python3.11 python3.13 python3; do \
	  "$$python" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	    2>/dev/null && { echo "$$python"; exit 0; }; \
	done; \
	echo "Python 3.11, 3.12 or 3.13 with its venv module is needed (on Debian: apt install python3-venv)." >&2; \
	exit 1

.PHONY: help setup run test check bench soak simulate mutants

help:
	@echo "make run    start Carry on this machine, in rehearsal mode"
	@echo "make test   run every test this machine can run"
	@echo "make check  format, lint, types, architecture, migrations"
	@echo "make mutants  plant known bugs in a copy, one at a time; the tests must notice each"
	@echo "make simulate SEEDS=10000  play so many trading days with bad luck, on all cores"
	@echo "make soak MINUTES=30  keep the feed going through faults; memory, stale facts, limits"
	@echo "make bench  measure scan and event-to-orders; writes build/bench.json"

setup: $(STAMP)

$(STAMP): uv.lock pyproject.toml .ci/embedded-redis
	@python="$$($(FIND_PYTHON))"; \
	if [ ! -x $(PY) ]; then "$$python" -m venv $(VENV); fi
	@[ -x $(VENV)/bin/uv ] || $(PY) -m pip install --quiet --disable-pip-version-check $(UV)
	@UV_PROJECT_ENVIRONMENT=$(VENV) $(VENV)/bin/uv sync --quiet --locked --inexact --compile-bytecode
	@.ci/embedded-redis $(VENV)
	@touch $@

run: $(STAMP)
	@CARRY_LOCAL=true exec $(PY) manage.py up

check: $(STAMP)
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy .
	$(PY) manage.py check
	$(PY) manage.py makemigrations --check --dry-run
	$(VENV)/bin/pytest -q tests/test_architecture.py tests/test_docs.py

# On PostgreSQL the test database is made anew and left behind: threads of tests may still be
# connected to it at the end. Whole stories, the xdist groups "scenario" and "browser", run one at a
# time each and mostly wait; three workers share all of it.
test: $(STAMP)
	@if [ -n "$${CARRY_TEST_POSTGRES_URL:-}" ]; then \
	  CARRY_TEST_DATABASE_URL="$$CARRY_TEST_POSTGRES_URL" \
	    $(VENV)/bin/pytest -q -m "db or postgres" --create-db --reuse-db -n 3 --dist loadgroup; \
	else \
	  echo "Tests on PostgreSQL are left out: CARRY_TEST_POSTGRES_URL names no server."; \
	fi
	@$(VENV)/bin/pytest -m "not postgres" -n 3 --dist loadgroup --no-loadscope-reorder

bench: $(STAMP)
	@$(PY) -m tests.benchmarks.run

# The feed against all simulated venues with SYMBOLS each, a fault every few seconds.
MINUTES ?= 30
SYMBOLS ?= 300
soak: $(STAMP)
	@$(PY) -m tests.soak --minutes $(MINUTES) --symbols $(SYMBOLS)

mutants: $(STAMP)
	@$(PY) -m tests.mutants.run $(MUTANTS)

# Days with bad luck, then a death at every boundary of a trade and at PAIRS pairs of them.
SEEDS ?= 10000
PAIRS ?= 2000
simulate: $(STAMP)
	@PYTHONHASHSEED=0 $(PY) -m tests.simulation --seeds $(SEEDS) --crashes pairs --pairs $(PAIRS) $(SIMULATE)
