# The operator's and the developer's front door. `make` lists the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
PYTHON ?= python3
PLOTS ?= 1000
KILLS ?= 1000
PICTURES ?= pictures
VENV := .venv
BIN := $(CURDIR)/$(VENV)/bin
export PATH := $(BIN):$(PATH)
export ANSIBLE_CONFIG := $(CURDIR)/ansible.cfg
export PYTHONDONTWRITEBYTECODE := 1
DEMO_HOSTS := tests/demo/hosts.toml

.PHONY: help
help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/ready: pyproject.toml services/requirements.lock
	@tests/tools/venv $(PYTHON) $(VENV)

.PHONY: tools
tools: $(VENV)/ready  ## install the development tools into .venv

.PHONY: inventory
inventory:  ## write inventory/farm from a look at your hosts: HOSTS=admin@192.168.1.10,... FOLDER=inventory/farm
	@ansible-playbook playbooks/discover.yml -i localhost, -e discover_folder=$(or $(FOLDER),inventory/farm) \
		$(if $(HOSTS),-e '{"discover_hosts": "$(HOSTS)"}') $(OPTIONS)

.PHONY: demo
demo: tools  ## three real hosts, a deployed farm that plots and farms; leaves it standing
	@$(BIN)/python -m tests.demo

.PHONY: demo-fault
demo-fault: tools  ## two faults of the demo's farm: their alerts, raised and over again
	@$(BIN)/python -m tests.demo.fault

.PHONY: pictures
pictures: tools  ## pictures of the dashboards with the demo's data: PICTURES=pictures
	@$(BIN)/python -m tests.pictures $(PICTURES)

.PHONY: pictures-docs
pictures-docs: tools  ## the pictures of README, of a simulated farm: docs/pictures
	@$(BIN)/python -m tests.pictures --simulated docs/pictures farm plotting

.PHONY: demo-down
demo-down:  ## remove the demo's hosts and all that was made for them
	@$(PYTHON) -m tests.hosts $(DEMO_HOSTS) down

.PHONY: lint
lint: tools  ## ruff, mypy --strict, yamllint, ansible-lint, role documents
	ruff check .
	ruff format --check .
	mypy services/goplot dashboard tests
	yamllint --strict .
	$(BIN)/python tests/lint/role_docs.py --check
	ansible-lint --offline -q

.PHONY: test-unit
test-unit: tools  ## unit and property tests
	pytest tests/unit

.PHONY: test-hosts
test-hosts: tools  ## the test hosts, then the scenarios on them, two at a time
	pytest tests/integration/test_hosts.py
	$(BIN)/python -m tests.tools.side_by_side

.PHONY: first-farm
first-farm: tools  ## README's "Your first farm" on three fresh test hosts
	$(BIN)/python -m tests.first_farm

.PHONY: soak
soak: tools  ## the campaigns at full length: PLOTS=1000 KILLS=1000
	pytest tests/unit/test_harvester_log_rotation.py --rotation-rounds 100
	pytest tests/unit/test_harvester_log_fuzz.py --fuzz-runs 50000
	pytest tests/unit/test_harvester_log_service.py -k grew --log-growth 2048
	PYTEST_ADDOPTS=--every-fault $(BIN)/python -m tests.tools.scenario network
	$(BIN)/python -m tests.first_farm
	$(BIN)/python -m tests.tools.scenario takeover
	$(BIN)/python -m tests.tools.closed $(OFFLINE)
	$(BIN)/python -m tests.campaign --plots $(PLOTS) --kills $(KILLS)

.PHONY: chia-lock
chia-lock: tools  ## lock what pip installs for a release of Chia: VERSION=2.7.5
	@$(BIN)/python -m tests.tools.chia_lock $(VERSION) $(addprefix --override=,$(OVERRIDE))

.PHONY: docs
docs: tools  ## write what is made from code: docs/metrics.md, tables of tunables and variables
	PYTHONPATH=services $(BIN)/python -m tests.lint.made_docs
	$(BIN)/python tests/lint/role_docs.py

OFFLINE ?= $(CURDIR)/.cache/offline
.PHONY: offline
offline: tools  ## fetch all that farms without internet install: OFFLINE=FOLDER
	ansible-playbook playbooks/offline.yml -e offline_dir=$(OFFLINE) $(ARGS)

.PHONY: dashboards
dashboards: tools  ## write dashboard/json from the dashboards' code
	$(BIN)/python -m dashboard

.PHONY: bench
bench: tools  ## what goplot costs, as figures and ratios; no part of make test
	PYTHONPATH=services python -m tests.bench

.PHONY: bench-transfer
bench-transfer: tools  ## how fast plots travel to another host's disks, way by way: FOLDER=/dev/shm
	PYTHONPATH=services $(BIN)/python -m tests.bench.transfer $(or $(FOLDER),/dev/shm)

.PHONY: bench-deploy
bench-deploy: tools  ## how long site.yml with nothing to do takes, on 3 hosts and on 30; no part of make test
	$(BIN)/python -m tests.bench.deploy

.PHONY: test
test: lint test-unit test-hosts  ## everything, quick checks first

.PHONY: clean
clean:  ## remove .venv and what was built; hosts and their cache stay
	rm -rf .venv .cache .ansible services/build services/*.egg-info
