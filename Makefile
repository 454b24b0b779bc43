# Everything happens in .venv beside this file. Needed: python3 (3.11 or newer), python3-venv, make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install -qq --disable-pip-version-check
# Two test processes: measured a third faster on two cores. `make test WORKERS=0` runs in one.
WORKERS ?= 2
PYTEST_ARGS ?=
# A demo and a daemon need no test tools; each stamp is older than pyproject.toml when it changed.
RUN := $(VENV)/.for-run
DEMO := $(VENV)/.for-demo
TEST := $(VENV)/.for-test

.PHONY: help run demo test bench history-bench console-bench fleet-bench nightshift faults healthyday services comparison lint clean peers pages picture tickets apifuzz

help: ## this list
	@echo "make targets:"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1	\2/p' Makefile

run: $(RUN) ## start monitord in the foreground, watching this machine (config/monitord.yaml)
	exec $(BIN)/monitord run --config config/monitord.yaml

demo: $(DEMO) ## break real things in a private folder and watch them being repaired (90 s)
	exec $(BIN)/python -m monitord demo

# pytest comes last: its closing line ends the output.
test: $(TEST) peers lint ## everything that can be proven here; as root it installs the real peers
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile $(PYTEST_ARGS)

bench: $(TEST) ## rate, CPU per check, delay and memory of 10,000 checks
	$(BIN)/python -m tests.benchmarks

history-bench: $(TEST) ## history: bytes a day, write cost, charts over 30 days of 10,000 checks (3 min)
	$(BIN)/python -m tests.benchmarks.history

console-bench: $(TEST) peers ## the console at 10,000 checks on 5,000 and 500 hosts: first byte, drawn, live (16 min)
	$(BIN)/python -m tests.benchmarks.console

fleet-bench: $(TEST) ## check-config of 600 hosts with 20 checks each: under 3 s, a second time under 1 s
	$(BIN)/python -m tests.benchmarks.config_fleet

# In a variable, since a comma ends an argument of make's functions.
PEERTOOLS := monitord,Monit,Icinga
nightshift: $(TEST) ## 33 faults on real hosts, one after the other, and what came of each (20 min, PEERS=1 30)
	@sh tests/peers.sh tests/peers.txt tests/nightshift/peers.txt
	$(BIN)/python -m tests.nightshift $(if $(ONLY),--only $(ONLY)) $(if $(SEED),--seed $(SEED)) \
		$(if $(TOOLS),--tools $(TOOLS),$(if $(PEERS),--tools $(PEERTOOLS)))

pages: $(RUN) ## the pages of kinds of checks and of shipped runbooks, from what they say themselves
	$(BIN)/python -m monitord kinds --write docs/probes
	$(BIN)/python -m monitord --config config/monitord.yaml runbooks --write docs/runbooks

picture: $(TEST) peers ## the console's picture in the README, from a shop that really breaks (1 min)
	$(BIN)/python -m tests.web.picture

services: $(TEST) ## probes against services that are heavy or slow to start (5 min; ONLY=rabbitmq)
	@sh tests/peers.sh tests/peers.txt tests/services/peers.txt
	MONITORD_HEAVY=1 $(BIN)/python -m pytest -m heavy $(if $(ONLY),-k "$(ONLY)") $(PYTEST_ARGS)

comparison: $(TEST) ## our probes and the official monitoring-plugins about 75 conditions (1 min)
	@sh tests/peers.sh tests/peers.txt tests/services/peers.txt
	$(BIN)/python -m tests.comparison

healthyday: $(TEST) ## 24 noisy hours in which nothing is wrong, on virtual time: 0 actions (1 min)
	$(BIN)/python -m tests.behaviour.healthy_day $(SEED)

faults: $(TEST) ## kill it and starve it at every point of a repair, and at 200 random instants (45 min)
	$(BIN)/python -m tests.faults $(if $(RANDOM),--random $(RANDOM)) $(if $(SEED),--seed $(SEED)) \
		$(if $(ONLY),--only "$(ONLY)")

apifuzz: $(TEST) ## 100 examples of each route of the API, made from its OpenAPI document (2 min)
	API_EXAMPLES=$(or $(EXAMPLES),100) $(BIN)/python -m pytest tests/api/test_schemathesis.py -q

tickets: $(TEST) peers ## 200 escalations through a failing proxy to a real ticket server (5 min)
	$(BIN)/python -m tests.tickets $(if $(SEED),--seed $(SEED))

lint: $(TEST) ## style, types and the floors of the house
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

clean: ## remove .venv and all that tools left; what a daemon keeps in var/ stays
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

peers:
	@sh tests/peers.sh

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "$(PYTHON) is older than 3.11: make PYTHON=python3.11 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

$(RUN): pyproject.toml | $(BIN)/python
	$(PIP) -e .
	@touch $@

$(DEMO): pyproject.toml | $(BIN)/python
	$(PIP) -e '.[demo]'
	@touch $@

$(TEST): pyproject.toml | $(BIN)/python
	$(PIP) -e '.[test]'
	@touch $@ $(RUN) $(DEMO)
