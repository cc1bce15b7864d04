# make demo   from nothing to a report on the mock sky      make test   all tests
# make report SCALE=demo   the report of what was built, again
# make resume PROFILE=slurm  after a lost terminal: cancel this folder's Slurm jobs, unlock, go on
#   (TARGETS=hayat2021  ARGS="--configfile mine.yaml"; SKY and SCALE only if they were given before)
# make test-cluster   the tests that start a real Slurm on this host (make install-slurm first)
# Options: PYTHON=python3.11  UV=1 (uv instead of pip)  TORCH_INDEX=URL (wheels of torch)

SHELL := /bin/bash
# Dozens of programs import the same packages: without byte code each start costs a second more.
unexport PYTHONDONTWRITEBYTECODE
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.complete
CORES ?= $(shell nproc 2>/dev/null || sysctl -n hw.ncpu 2>/dev/null || echo 2)
SKY ?= mock
SCALE ?= demo
SLURM_PACKAGES := slurmctld slurmd slurm-client munge slurmdbd mariadb-server
# What some tests compare with, or drive: SWarp, Chromium. Benches time STILTS.
REFERENCE_PACKAGES := swarp chromium chromium-driver stilts
SUDO := $(if $(filter-out 0,$(shell id -u)),sudo)
# What the user named; the rest stays with config/config.yaml and with ARGS.
CHOSEN := $(if $(filter-out file,$(origin SKY)),sky=$(SKY)) $(if $(filter-out file,$(origin SCALE)),scale=$(SCALE))
REPORT = results/$(SKY)-$(SCALE)/report/report.html
TORCH_OPTION := $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX))
# Modules are compiled when they are first imported (as uv has it): all at once they take half a minute.
INSTALL := $(if $(UV),uv pip install --python $(BIN)/python,$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile)

.PHONY: env demo report resume test test-cluster install-slurm install-references bench lint docs clean-resume

env: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "zladder needs Python 3.11 or newer: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 2; }
	$(if $(UV),uv venv --seed --allow-existing,$(PYTHON) -m venv) $(VENV)
	$(INSTALL) $(TORCH_OPTION) -r requirements.lock
	$(INSTALL) --no-deps --no-build-isolation --editable .
	touch $@

demo: env
	$(BIN)/snakemake --cores $(CORES) --config sky=$(SKY) scale=$(SCALE)
	$(MAKE) --no-print-directory report

resume: env
	$(BIN)/python -m zladder.cli.resume
	$(BIN)/snakemake $(if $(PROFILE),--profile $(PROFILE),--cores $(CORES)) $(ARGS) \
		$(if $(strip $(CHOSEN)),--config $(CHOSEN)) $(if $(TARGETS),-- $(TARGETS))

report: env
	$(BIN)/snakemake --cores 1 --config sky=$(SKY) scale=$(SCALE) --report $(REPORT) \
		--report-stylesheet workflow/report/viewer.css
	@echo "The report: $(REPORT)"

test: env
	$(BIN)/python -m pytest -n $(CORES) --ignore=tests/cluster tests

test-cluster: env
	$(BIN)/python -m pytest tests/cluster

install-slurm:
	@command -v apt-get >/dev/null || { echo "Slurm is installed from Debian packages; here is no apt-get"; exit 1; }
	$(SUDO) apt-get update -q
	$(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -yq --no-install-recommends $(SLURM_PACKAGES)

install-references:
	@command -v apt-get >/dev/null || { echo "SWarp and Chromium are installed from Debian packages; here is no apt-get"; exit 1; }
	$(SUDO) apt-get update -q
	$(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -yq --no-install-recommends $(REFERENCE_PACKAGES)

bench: env
	$(INSTALL) --no-build-isolation --constraint requirements.lock --editable '.[bench]'
	for script in bench/bench_*.py; do $(BIN)/python $$script || exit 1; done

lint: env
	$(BIN)/ruff check src workflow tests bench
	$(BIN)/ruff format --check src workflow tests bench
	$(BIN)/snakefmt --check Snakefile workflow/rules
	$(BIN)/mypy
	$(BIN)/codespell src workflow docs config README.md Snakefile Makefile
	$(BIN)/snakemake --lint

docs: env
	$(BIN)/python -m zladder.docs

clean-resume: env
	$(BIN)/python -m zladder.cli.clean_resume
