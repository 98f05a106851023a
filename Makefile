# Two commands do everything on a fresh machine: `make serve` and `make test`.

PYTHON ?= python3
VENV   ?= .venv
PORT   ?= 5006
JOBS   ?= 2
BIN    := $(VENV)/bin
# The one PyTorch that the tests were run with; a plain "torch" may bring gigabytes of GPU libraries along.
TORCH  ?= torch==2.13.0
# What the benchmarks of recurrent nets run beside; on a machine with a GPU: make TORCH=torch RNN_PEERS=rnn-peers,cuda12 bench-rnn
RNN_PEERS ?= rnn-peers
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check
PYTEST := $(BIN)/python -m pytest

.PHONY: help serve test test-slow test-nojit bench bench-rnn bench-search lint format browser voice clean

help:
	@echo "make serve      install, record a first training if there is none, serve the apps"
	@echo "make test       install what tests need (a browser too) and run lint and all tests but the slow ones"
	@echo "make test-slow  the slow tests"
	@echo "make bench      the benchmarks, beside their peers"
	@echo "make bench-rnn  recurrent nets beside PyTorch, JAX, Opacus and BackPACK (a quarter of an hour; RNN='-k gru' for less)"
	@echo "make bench-search  the race of model searches, beside FLAML (an hour; RACE='--seconds 10 --seeds 0' for less)"
	@echo "make format     format the code"

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "LearnViews needs Python 3.11 or newer; name one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
	  { rm -rf $(VENV); echo "No virtual environment could be made; on Debian or Ubuntu: apt-get install python3-venv"; exit 1; }
	@$(PIP) --upgrade pip

$(VENV)/installed: setup.py __init__.py | $(BIN)/python
	@echo "Installing LearnViews into $(VENV) (a few minutes the first time)"
	@$(PIP) --editable .
	@touch $@

$(VENV)/installed-test: setup.py __init__.py | $(BIN)/python
	@echo "Installing LearnViews and what its tests need into $(VENV) (a few minutes the first time)"
	@$(PIP) "$(TORCH)" || $(PIP) torch
	@$(PIP) --editable ".[test,bench]"
	@touch $@ $(VENV)/installed

serve: $(VENV)/installed
	@LEARNVIEWS_HOME="$(CURDIR)" $(BIN)/learnviews serve --port $(PORT)

test: $(VENV)/installed-test browser voice lint
	$(PYTEST) -n $(JOBS) --dist loadfile

test-slow: $(VENV)/installed-test browser voice
	$(PYTEST) -m slow

bench: $(VENV)/installed-test browser
	$(PYTEST) benchmarks/rnn/test_itemize.py benchmarks/test_recording.py -m benchmark --benchmark-disable-gc
	$(PYTEST) benchmarks/test_cube.py -m benchmark
	$(PYTEST) benchmarks/test_search.py -m benchmark
	$(PYTEST) benchmarks/test_app.py benchmarks/test_cube_page.py benchmarks/test_cube_app.py benchmarks/test_nncubes_wanted.py -m benchmark
	$(PYTEST) benchmarks/test_snowcat.py benchmarks/test_graphs.py -m benchmark

# Environments of their own: the peers are nobody else's business.
$(VENV)/rnn-peers/installed: setup.py __init__.py | $(BIN)/python
	@echo "Installing LearnViews, JAX, Opacus and BackPACK into $(VENV)/rnn-peers (a few minutes the first time)"
	@$(BIN)/python -m venv $(VENV)/rnn-peers
	@$(VENV)/rnn-peers/bin/python -m pip install --quiet --disable-pip-version-check "$(TORCH)" --editable ".[$(RNN_PEERS)]" || \
	  $(VENV)/rnn-peers/bin/python -m pip install --quiet --disable-pip-version-check --editable ".[$(RNN_PEERS)]"
	@touch $@

# In the order in which the tables are to be read.
bench-rnn: $(VENV)/rnn-peers/installed
	$(VENV)/rnn-peers/bin/python -m pytest $(addprefix benchmarks/rnn/test_,itemize.py tolerance.py sums.py growth.py long.py sequences.py gpu.py) \
	  -m benchmark --benchmark-disable-gc --benchmark-columns=median,rounds $(RNN)

$(VENV)/peers/installed: setup.py __init__.py | $(BIN)/python
	@echo "Installing LearnViews and FLAML into $(VENV)/peers (a few minutes the first time)"
	@$(BIN)/python -m venv $(VENV)/peers
	@$(VENV)/peers/bin/python -m pip install --quiet --disable-pip-version-check --editable ".[peers]"
	@touch $@

bench-search: $(VENV)/peers/installed
	$(VENV)/peers/bin/python benchmarks/search_race.py --out $(VENV)/search-race $(RACE)

lint: $(VENV)/installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@mkdir -p $(VENV)/typing && ln -sfn "$(CURDIR)" $(VENV)/typing/learnviews
	MYPYPATH=$(VENV)/typing $(BIN)/mypy -p learnviews.kernels -p learnviews.grammar

format: $(VENV)/installed-test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Any Chrome or Chromium will do; on Debian and Ubuntu one is installed where that is allowed.
browser:
	@for each in chromium chromium-browser google-chrome google-chrome-stable; do \
	  command -v $$each >/dev/null 2>&1 && exit 0; \
	done; \
	if command -v apt-get >/dev/null 2>&1; then \
	  as=""; if [ "$$(id -u)" != 0 ]; then as="sudo -n"; fi; \
	  echo "Installing Chromium for the browser tests"; \
	  { $$as apt-get update -q && $$as env DEBIAN_FRONTEND=noninteractive \
	    apt-get install -q -y --no-install-recommends chromium; } >/dev/null 2>&1 && exit 0; \
	fi; \
	echo "The browser tests need Chrome or Chromium on the PATH. Install one (Debian, Ubuntu: apt-get install chromium),"; \
	echo "or leave these tests out: make PYTEST_ADDOPTS=\"-m 'not ui and not slow and not benchmark'\" BROWSER=no test"; \
	if [ "$(BROWSER)" = no ]; then exit 0; else exit 1; fi

# The tests of speech speak for themselves: espeak-ng is installed where that is allowed; without it they are skipped.
voice:
	@command -v espeak-ng >/dev/null 2>&1 && exit 0; \
	if command -v apt-get >/dev/null 2>&1; then \
	  as=""; if [ "$$(id -u)" != 0 ]; then as="sudo -n"; fi; \
	  echo "Installing espeak-ng for the tests of speech"; \
	  { $$as apt-get update -q && $$as env DEBIAN_FRONTEND=noninteractive \
	    apt-get install -q -y --no-install-recommends espeak-ng; } >/dev/null 2>&1 && exit 0; \
	fi; \
	echo "No speech synthesizer on the PATH: tests of spoken digits are skipped (Debian, Ubuntu: apt-get install espeak-ng)"

clean:
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .benchmarks
