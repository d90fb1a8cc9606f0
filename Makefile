# Everything runs from .venv; the only needs are Python 3.11, pip and make.
SHELL := /bin/sh
PYTHON ?= python3.11
UV_VERSION := 0.13.8
UV := .tools/uv/bin/uv
BIN := .venv/bin
INSTALLED := .venv/.installed
DEBIAN_PACKAGES := redis-server chromium fonts-dejavu-core
DEBIAN_COMMANDS := redis-server chromium
BENCH_PACKAGES := redis-server nginx wrk
BENCH_COMMANDS := redis-server nginx wrk

.DEFAULT_GOAL := help
.PHONY: help install system demo serve test soak check format bench benchsystem requirements clean

help:  ## list the commands
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## */|/' | awk -F'|' '{printf "  make %-13s %s\n", $$1, $$2}'

$(UV):
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-warn-script-location \
		--root-user-action=ignore --target .tools/uv uv==$(UV_VERSION)

$(INSTALLED): $(UV) pyproject.toml uv.lock
	$(UV) sync --quiet --frozen --all-extras --python $(PYTHON)
	@touch $@

install: $(INSTALLED)  ## set up .venv with everything; commands land in .venv/bin

system:  ## install the Debian packages that tests need (apt, as root)
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(DEBIAN_PACKAGES)

demo: $(INSTALLED)  ## run the whole pipeline once on this machine and print the month's statement
	$(BIN)/tollgate demo

serve: $(INSTALLED)  ## run the gateway, three simulated regions and the ledger on this machine
	$(BIN)/tollgate serve

test: $(INSTALLED)  ## run every test, with the coverage floor
	@for command in $(DEBIAN_COMMANDS); do \
		command -v $$command >/dev/null && continue; \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then $(MAKE) --no-print-directory system; \
		else echo "Tests need $$command, which is missing. Type: sudo make system" >&2; exit 1; fi; \
	done
	$(BIN)/pytest -n auto --cov --cov-report=term

soak: $(INSTALLED)  ## kill the gateway, then the ledger, then load it long (SHOWS="kills 100 ledger 100000 soak 600")
	PYTHONPATH=tests $(BIN)/python -m load $(SHOWS)

check: $(INSTALLED)  ## format, lint, types, import rules, lock
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(UV) lock --check --quiet
	@$(UV) export $(EXPORT) --quiet | cmp -s - requirements.txt \
		|| { echo "requirements.txt is not the export of uv.lock. Type: make requirements" >&2; exit 1; }

format: $(INSTALLED)  ## format the code and mend what ruff can mend
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

EXPORT := --frozen --no-dev --extra functions --no-emit-project --no-hashes --no-annotate --no-header

requirements: $(UV)  ## export requirements.txt, which the Functions host installs, from the lock
	$(UV) export $(EXPORT) --quiet > requirements.txt

bench: export PATH := $(PATH):/usr/sbin
bench: $(INSTALLED)  ## measure beside baselines and peers (ONLY="usage ledger archive accountant proxy streams"); build/bench.json
	@for command in $(BENCH_COMMANDS); do \
		command -v $$command >/dev/null && continue; \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then $(MAKE) --no-print-directory benchsystem; \
		else echo "Benchmarks need $$command, which is missing. Type: sudo make benchsystem" >&2; exit 2; fi; \
	done
	PYTHONPATH=tests $(BIN)/python -m bench $(ONLY)

benchsystem:  ## install the Debian packages that benchmarks need (apt, as root)
	apt-get update -qq
	RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(BENCH_PACKAGES)

clean:  ## remove what the commands above made
	rm -rf .venv .tools build data .pytest_cache .ruff_cache .hypothesis .coverage .coverage.*
