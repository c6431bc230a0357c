# `make radio` sets up what is missing and goes on the air; `make test` is what CI runs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
JS := scripts/js
TORCH := $(shell grep -om1 'torch==[0-9.]*' pyproject.toml)

.PHONY: radio setup system system-tests test test-all lint types lint-js types-js format bench gpu
.DEFAULT_GOAL := radio

radio: setup
	exec $(BIN)/radio serve

setup: system $(VENV)/.radio

system:
	@scripts/system-packages $(PYTHON)

# what the tests need beside that: browsers, players and servers to play to
system-tests:
	@scripts/system-packages --tests $(PYTHON)

$(BIN)/pip: | system
	$(PYTHON) -m venv $(VENV)

$(VENV)/.radio: pyproject.toml setup.py $(wildcard kernels/cpu/*) | $(BIN)/pip
	$(PIP) -e .
	@$(BIN)/python -c "from radio.model.engines.selection import describe; print('Engine:', describe())"
	touch $@

# torch comes first: whatever depends on it must find the version that is asked for
$(VENV)/.tests: pyproject.toml $(VENV)/.radio
	$(PIP) $(TORCH)
	$(PIP) -e '.[train,dev]'
	touch $@

lint: system $(VENV)/.tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(VENV)/.tests types-js
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

format: system $(VENV)/.tests
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

test: lint system-tests types lint-js
	$(BIN)/pytest -m "not slow" --durations=10

test-all: lint system-tests types lint-js
	$(BIN)/pytest --durations=20

bench: system-tests $(VENV)/.tests
	$(BIN)/python -m bench

# on a machine with a CUDA device; needs torch, pytest and nvcc there, and brings nothing: `make gpu BIN=/usr/bin`
gpu:
	$(BIN)/python3 -m pytest -c /dev/null --rootdir . -p no:cacheprovider -q tests/kernels/test_wkv6_cuda.py
	$(BIN)/python3 -m bench wkv
