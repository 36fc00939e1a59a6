# One command each: make demo, make test, make check, make bench, make faults, make smoke.
# Everything lives in .venv and build; only python3 (3.11 or newer, with venv) and make must be here.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install -qq -c constraints.txt
# demo runs on the package and its demo extra alone; whatever tests and checks asks for the rest.
DEMO := $(VENV)/.demo-installed
DEV := $(VENV)/.dev-installed
WANTED := constraints.txt setup.cfg pyproject.toml

# Three workers on two cores: faults wait for leases and settle times most of their time.
PYTEST := $(BIN)/python -m pytest -q -n 3 --dist loadfile --no-loadscope-reorder

# MAIL, FRESH and N count on the command line only: login shells set MAIL to the user's own spool.
given = $(if $(filter command,$(firstword $(origin $(1)))),$($(1)))
unexport MAIL FRESH ONLY QUICK N
# Tests and demos start Python by the hundred: without bytecode each compiles every module again.
unexport PYTHONDONTWRITEBYTECODE

export PIP_NO_INPUT := 1
MAKEFLAGS += --no-print-directory
.SUFFIXES:
.PHONY: demo smoke test test-fast clients check check-lint check-types check-layers check-length \
	check-pins check-migrations check-wheel format bench faults clean help
.DEFAULT_GOAL := help

help: ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /|/' | \
		while IFS='|' read -r name text; do printf '  make %-9s %s\n' "$$name" "$$text"; done

demo: $(DEMO) ## the inbox, the simulated org and a worker; MAIL=folder-or-mbox, FRESH=1
	@exec $(BIN)/python -m demo $(if $(call given,MAIL),--mail "$(MAIL)") $(if $(call given,FRESH),--fresh)

smoke: $(DEMO) ## the main job on real mail without a browser, ending in JSON; MAIL=folder-or-mbox
	@exec $(BIN)/python -m demo.smoke $(if $(call given,MAIL),--mail "$(MAIL)")

test: $(DEV) ## every test; as root it installs the servers and the browser it needs
	@$(BIN)/python -m tools.install_services
	@exec $(PYTEST) $(ARGS)

test-fast: $(DEV) ## the tests without kills, browser, host migrations, fuzzing and simulator conformance
	@$(BIN)/python -m tools.install_services
	@exec $(PYTEST) --fast $(ARGS)

clients: $(DEV) ## jsforce and the Salesforce CLI against the simulated org; needs npm
	@exec $(BIN)/python -m tests.clients $(ARGS)

check: check-lint check-types check-layers check-length check-pins check-migrations check-wheel ## lint, types, layers, pins, migrations, wheel

check-lint: $(DEV)
	@$(BIN)/ruff check -q . && $(BIN)/ruff format -q --check . || \
		{ echo "lint: see above; 'make format' mends most of it" >&2; exit 1; }
	@echo "lint: good"

check-types: $(DEV)
	@mkdir -p build
	@$(BIN)/mypy keeping_plugin migrations demo salesforce_simulator $(wildcard benchmarks) tools > build/types.log || \
		{ cat build/types.log; exit 1; }
	@sed -n '$$s/^Success/types/p' build/types.log

check-layers: $(DEV)
	@mkdir -p build
	@$(BIN)/lint-imports > build/layers.log || { cat build/layers.log; exit 1; }
	@sed -n 's/^Contracts: /layers: /p' build/layers.log

check-length: $(DEV)
	@$(BIN)/python -m tools.check_length

check-pins: $(DEV)
	@$(BIN)/python -m tools.check_pins

check-migrations: $(DEV)
	@$(BIN)/python -m tools.check_migrations

check-wheel: $(DEV)
	@$(BIN)/python -m tools.check_wheel

format: $(DEV) ## let ruff mend and lay out the code
	@$(BIN)/ruff check -q --fix . ; $(BIN)/ruff format -q .

bench: $(DEV) ## the figures, into build/bench.json; ONLY=name, QUICK=1
	@exec $(BIN)/python -m benchmarks $(if $(ONLY),--only "$(ONLY)") $(if $(QUICK),--quick)

faults: $(DEV) ## the fault table in loops, ending in JSON; N=repeats
	@$(BIN)/python -m tools.install_services
	@exec $(BIN)/python -m tests.faults $(if $(call given,N),--repeat "$(N)")

clean: ## remove what was installed, built and kept
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; say which with PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
		{ echo "python3 -m venv does not work here (Debian: apt-get install python3-venv)" >&2; exit 1; }

$(DEMO): $(WANTED) | $(BIN)/python
	@echo "installing the demo into $(VENV)"
	@$(PIP) -e '.[demo]'
	@touch $@

$(DEV): $(WANTED) | $(BIN)/python
	@echo "installing the tools into $(VENV)"
	@$(PIP) -e '.[demo,postgres,metrics,i18n,dashboard,testing,dev,bench]'
	@touch $@ $(DEMO)
