# `make radio` sets everything up and starts the radio; `make help` lists the other targets.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
JS := scripts/js
TORCH := $(shell grep -om1 'torch==[0-9.]*' pyproject.toml)
LINTERS := $(shell grep -oE '"(ruff|import-linter)>=[0-9.]+"' pyproject.toml)

# The tests start hundreds of processes. Each would compile the radio again where Python may not keep its bytecode.
unexport PYTHONDONTWRITEBYTECODE

# Processes for the fast tests. Many tests wait for sound that is made in real time, so two cores serve four.
JOBS ?= 4
PYTEST := $(BIN)/python -m pytest
FAST = $(PYTEST) -m "not slow" -n $(JOBS) --dist loadgroup
# CI shows the coverage; it costs half as much time again.
COVERAGE ?= $(if $(CI),--cov=radio --cov=train --cov=kernels --cov-report=term)

.PHONY: radio setup help system system-tests test fast-tests test-all test-loaded lint types lint-js types-js format bench gpu sample lock dist chaos fuzz soak
.DEFAULT_GOAL := radio

radio: setup ## set up what is missing, and serve all stations at http://localhost:8000/
	exec $(BIN)/radio serve

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: system $(VENV)/.radio ## install system packages and the radio in .venv

system:
	@scripts/system-packages $(PYTHON)

# The tests also need browsers, players, and servers to push to.
system-tests:
	@scripts/system-packages --tests $(PYTHON)

$(BIN)/pip: | system
	$(PYTHON) -m venv $(VENV)

$(VENV)/.radio: pyproject.toml setup.py $(wildcard kernels/cpu/* kernels/audio/*) | $(BIN)/pip
	$(PIP) -e .
	@$(BIN)/python -c "from radio.model.engines.selection import describe; print('Engine:', describe())"
	touch $@

# torch comes first, so that packages that depend on it accept this version.
$(VENV)/.tests: pyproject.toml $(VENV)/.radio
	$(PIP) $(TORCH)
	$(PIP) -e '.[train,dev]'
	touch $@

# The linters alone, in seconds: no system packages, no torch.
$(VENV)/.lint: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) $(LINTERS)
	touch $@

lint: $(VENV)/.lint ## check style, imports and prose
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	PYTHONPATH=. $(BIN)/lint-imports
	$(BIN)/python scripts/check_prose.py --brief

types: $(VENV)/.tests types-js ## check types
	$(BIN)/mypy

# The JavaScript of the page and of its tests; needs npm. `npm ci` installs what scripts/js/package-lock.json lists.
lint-js: $(JS)/node_modules/.package-lock.json
	npm run --silent --prefix $(JS) lint

types-js: $(JS)/node_modules/.package-lock.json
	npm run --silent --prefix $(JS) types

$(JS)/node_modules/.package-lock.json: $(JS)/package-lock.json
	@command -v npm >/dev/null || { echo "npm is missing; scripts/system-packages --tests installs it" >&2; exit 1; }
	npm ci --silent --prefix $(JS)
	touch $@

format: $(VENV)/.lint ## format the code, and fix the style where ruff can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The results of the fast tests do not depend on how busy the machine is.
test: system-tests lint lint-js $(VENV)/.tests ## run all checks and the fast tests, as CI does
	$(MAKE) --no-print-directory -j2 types fast-tests

# mypy takes a minute of one core, in which the tests often wait.
fast-tests: $(VENV)/.tests
	$(FAST) $(COVERAGE) --durations=10

# The slow tests measure the clock, so they run one at a time. asyncio's debug mode costs a sixth of the processor time.
test-all: export PYTEST_ADDOPTS = --hypothesis-profile=thorough
test-all: test ## run all checks and all tests
	$(PYTEST) -m slow --durations=20
	$(PYTEST) -m "not slow" -o asyncio_debug=true tests/push tests/server tests/stream tests/worker

test-loaded: system-tests $(VENV)/.tests ## run the fast tests twice beside a busy process per core
	scripts/under_load.py --times 2 $(FAST)

bench: system-tests $(VENV)/.tests ## measure the speed of each part on this machine
	$(BIN)/python -m bench

chaos: $(VENV)/.tests ## do faults to a running radio, and show what its listeners hear
	$(BIN)/python -m bench.chaos --output docs/reliability.md

fuzz: $(VENV)/.tests ## give every reader ten minutes of damaged input
	$(BIN)/python -m pip install --quiet --disable-pip-version-check atheris
	$(BIN)/python -m tests.fuzz --output docs/reliability.md

soak: $(VENV)/.tests ## play a day in two hours, and show memory, descriptors and underruns
	$(BIN)/python -m bench.soak --output docs/reliability.md

# On a machine with a CUDA device; without a virtual environment: `make gpu BIN=/usr/bin`.
gpu:
	PYTHON=$(BIN)/python3 scripts/gpu

sample: setup ## render docs/sample.opus, and a minute of each station in docs/samples
	mkdir -p build docs/samples
	$(BIN)/radio render --station chill --seed 1 --minutes 1 build/sample.wav
	ffmpeg -loglevel error -y -i build/sample.wav -af afade=out:st=57:d=3,volume=-1dB -b:a 80k docs/sample.opus
	for station in $$($(BIN)/radio stations --json | $(BIN)/python -c 'import json, sys; print(*(station["name"] for station in json.load(sys.stdin)))'); do \
		$(BIN)/radio render --station $$station --seed 1 --minutes 1 build/$$station.wav && \
		ffmpeg -loglevel error -y -i build/$$station.wav -af volume=-1dB -b:a 80k docs/samples/$$station.opus || exit 1; \
	done

lock: $(VENV)/.lint ## write the exact versions of all dependencies to requirements*.lock
	$(PIP) uv
	scripts/lock $(BIN)/uv

dist: $(VENV)/.lint ## build the wheel and the source distribution in dist/
	$(PIP) build
	$(BIN)/python -m build
