# Two commands do all the set-up: `make run` and `make test`. Python 3.11 to 3.13 is all they need.
#
#   make run [PORT=8501] [DEMO=no]   the school in the browser; DEMO=no begins with an empty one
#   make test [TESTS=tests/unit]     everything that must pass
#   make check                       style and types only
#   make bench [ONLY=import]         the figures, each beside its limit
#   make clean                       forget the virtual environment and caches; var/ stays
#
# PYTHON=/path/to/python3.12 names an interpreter; otherwise a fitting one is looked for.

.DEFAULT_GOAL := help
.PHONY: help run test check style bench clean venv test-venv
PY := .venv/bin/python
TESTS ?= tests
EVERYTHING := import crm.cli.main, streamlit.testing.v1; from crm.ui.start import start; start()

help:
	@sed -n 's/^#   //p' Makefile

run: venv
	@exec $(PY) -m crm run $(if $(PORT),--port $(PORT)) $(if $(filter no false 0,$(DEMO)),--no-demo)

# Types are checked while the servers are looked for and what is imported is compiled: each takes one core.
test: style
	@$(PY) -m mypy & types=$$!; \
	$(PY) -W ignore -m tests.servers && $(PY) -W ignore -c '$(EVERYTHING)'; \
	ready=$$?; wait $$types && exit $$ready
	@$(PY) -m pytest -n 3 --dist loadfile --no-loadscope-reorder $(TESTS)

check: style
	@$(PY) -m mypy

style: test-venv
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check --quiet . || { $(PY) -m ruff format --check .; exit 1; }

bench: test-venv
	@$(PY) -m tests.bench $(ONLY)

clean:
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

venv:
	@PYTHON='$(PYTHON)' sh .ci/venv requirements.txt

test-venv:
	@PYTHON='$(PYTHON)' sh .ci/venv requirements.txt tests/requirements.txt
