# `make radio` sets up what is missing and goes on the air; `make test` is what CI runs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
TORCH := $(shell grep -om1 'torch==[0-9.]*' pyproject.toml)

.PHONY: radio setup system system-tests test test-all lint format bench gpu
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
	$(BIN)/mypy
	$(BIN)/lint-imports

format: system $(VENV)/.tests
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

test: lint system-tests
	$(BIN)/pytest -m "not slow" --durations=10

test-all: lint system-tests
	$(BIN)/pytest --durations=20

bench: system-tests $(VENV)/.tests
	$(BIN)/python -m bench

# on a machine with a CUDA device; needs torch, pytest and nvcc there, and brings nothing: `make gpu BIN=/usr/bin`
gpu:
	$(BIN)/python3 -m pytest -c /dev/null --rootdir . -p no:cacheprovider -q tests/kernels/test_wkv6_cuda.py
	$(BIN)/python3 -m bench wkv
