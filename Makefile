# The commands of the project. `make run` and `make test` need nothing but Python >= 3.11 and a network for the first time.

SHELL := /bin/sh
PYTHON := .venv/bin/python
PACKAGES := config renewals smime cms notifications authority pki runtime cardclient
# Tools that read Django's settings run beside throw-away services, whose addresses the settings need.
BESIDE_SERVICES := $(PYTHON) -m tests.plugin

export NO_APT QUICK

.NOTPARALLEL:
.DEFAULT_GOAL := help
.PHONY: help run smoke test soak lint types contracts migrations check bench lock server-environment dev-environment system-packages

help: ## Show this list.
	@sed -n 's/^\([a-z]*\):.*## /  make \1	/p' Makefile | expand -t 20

run: server-environment ## Start everything with a demo population and let a card renew before your eyes.
	@exec $(PYTHON) -m config.demo run

smoke: server-environment ## The same without staying: check the outcome, exit 0 or 1.
	@exec $(PYTHON) -m config.demo smoke

test: dev-environment system-packages ## The whole suite on PostgreSQL and Redis that it starts itself. ARGS="..." are pytest's.
	@if [ -n "$(ARGS)" ]; then $(PYTHON) -m pytest $(ARGS); else .ci/test; fi

soak: dev-environment system-packages ## The long fault runs, half an hour; they print seeds and figures. ARGS="..." are pytest's.
	@if [ -n "$(ARGS)" ]; then $(PYTHON) -m pytest -m soak $(ARGS); else LANES=$${LANES:-2} .ci/test -m soak; fi

lint: dev-environment ## Style and formatting.
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .

types: dev-environment ## Static types.
	$(BESIDE_SERVICES) $(PYTHON) -m mypy $(PACKAGES)

contracts: dev-environment ## Who may import whom.
	.venv/bin/lint-imports

migrations: dev-environment ## Every change of a model has its migration.
	$(BESIDE_SERVICES) $(PYTHON) manage.py makemigrations --check --dry-run

check: lint types contracts migrations test ## All of the above, as CI does.

bench: dev-environment ## One benchmark: make bench NAME=enrollment [QUICK=1].
	@test -f benchmarks/$(NAME).py || { echo "make bench NAME=...: one of $(notdir $(basename $(wildcard benchmarks/*.py)))"; exit 2; }
	$(PYTHON) -m benchmarks.$(NAME)

lock: dev-environment ## Resolve requirements/*.in anew, with hashes and without addresses of any index.
	.ci/lock

server-environment:
	@.ci/environment server client

dev-environment:
	@.ci/environment dev

system-packages:
	@.ci/packages
