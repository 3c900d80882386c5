# Everything is done in a virtual environment that this file makes; nothing outside the repository is touched.
PYTHON ?= python3
ARGS ?=
BENCH ?= step
WHEELS ?=
PEERS := torch keras tensorflow

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup run test test-slurm test-ray test-gpu check bench bench-peers wheel lock clean

# One environment per interpreter: `.venv` for python3, `.venv-3.12` for PYTHON=python3.12.
VENV := .venv$(patsubst %,-%,$(filter-out python3 python,$(patsubst python3.%,3.%,$(notdir $(PYTHON)))))
BIN := $(VENV)/bin
READY := $(VENV)/.ready

help:  ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "  PYTHON=python3.12 chooses another interpreter (now: $(PYTHON), environment $(VENV))"

setup: $(READY)  ## Make the environment from requirements.lock

$(READY): requirements.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) was not found. Name a Python of at least 3.11: make $(or $(firstword $(MAKECMDGOALS)),setup) PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, but $(PYTHON) is " + sys.version.split()[0] + ". Name another one: make $(or $(firstword $(MAKECMDGOALS)),setup) PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

run: setup  ## Train and evaluate recipes/vision/digits_mlp.yaml
	$(BIN)/fw run digits_mlp $(ARGS)

test: setup  ## Run all tests (ARGS="-k name" chooses some)
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

test-slurm: setup  ## Drive a real SLURM of one node (apt-get install slurm-wlm munge)
	@PATH="$$PATH:/usr/sbin"; for program in munged slurmctld slurmd sbatch; do command -v $$program >/dev/null || { echo "$$program was not found. make test-slurm needs SLURM and munge: apt-get install slurm-wlm munge"; exit 1; }; done
	$(BIN)/python -m pytest -m slurm tests/launch $(ARGS)

test-gpu:  ## Run layouts and numbers on the GPUs of PYTHON's jax (WHEELS=folder: without a network)
	$(PYTHON) tests/gpu/run.py $(if $(WHEELS),--wheels $(WHEELS)) $(ARGS)

test-ray: setup  ## Drive a real Ray cluster of two workers (installs Ray, 240 MB, into the environment)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation -e '.[ray]' -c requirements.lock
	$(BIN)/python -m pytest tests/sweep/test_engine_ray.py $(ARGS)

check: setup  ## What CI runs: format, lint, types, tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(MAKE) test

bench: setup  ## Measure the step rate beside hand-written JAX (BENCH=parallel: layouts, BENCH=gpu: GPT-2 small)
	$(BIN)/python benchmarks/$(BENCH).py $(ARGS)

bench-peers: $(PEERS:%=.cache/peers/%/.ready) setup  ## Measure beside PyTorch, Lightning, Keras and TensorFlow (installs them in .cache/peers)
	$(BIN)/python benchmarks/peers.py --json .cache/peers/rates.json $(ARGS)
	$(BIN)/python benchmarks/chart.py .cache/peers/rates.json -o docs/images/performance.png

# Peers have an environment each: they disagree about NumPy and about one another's versions.
.cache/peers/torch/.ready: PACKAGES := torch==2.13.0 lightning==2.6.6 scikit-learn
.cache/peers/keras/.ready: PACKAGES := keras==3.15.1 jax==0.10.2 scikit-learn
.cache/peers/tensorflow/.ready: PACKAGES := "tensorflow-cpu==2.21.0; sys_platform == 'linux' and platform_machine == 'x86_64'" \
	"tensorflow==2.21.0; sys_platform != 'linux' or platform_machine != 'x86_64'" keras==3.15.1
.cache/peers/%/.ready:
	$(PYTHON) -m venv .cache/peers/$*
	.cache/peers/$*/bin/python -m pip install --quiet --disable-pip-version-check $(PACKAGES)
	@touch $@

wheel: setup  ## Build dist/*.whl, with configs/ and recipes/ inside
	$(BIN)/python -m build --wheel --no-isolation

lock:  ## Renew requirements.lock (needs the oldest supported Python, 3.11)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11) and "The lock is made with the oldest supported Python, so that newer ones can use it too: make lock PYTHON=python3.11")'
	rm -rf .cache/lock
	$(PYTHON) -m venv .cache/lock
	.cache/lock/bin/python -m pip install --quiet --dry-run --ignore-installed --report .cache/lock/report.json '.[dev]'
	.cache/lock/bin/python .ci/lock.py .cache/lock/report.json > requirements.lock
	rm -rf .cache/lock

clean:  ## Remove the environments, caches and built files; runs/ stays
	rm -rf .venv .venv-* .cache .pytest_cache .ruff_cache dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
