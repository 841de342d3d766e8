# Two commands do everything: `make run` and `make test`. The rest is for working on the code.
.DEFAULT_GOAL := help
.SILENT:
.PHONY: help run test setup lint format bench faults lock docs clean

PY := .venv/bin/python
# The oldest Python that is new enough wins, so that a laptop and CI agree.
FIND_PYTHON = for p in python3 python3.11 python3.12 python3.13 python3.14 python3.15; do \
	if $$p -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then echo $$p; exit; fi; done

help:
	printf '%s\n' 'make run     two strangers on two bots talk, on this machine, with no token' \
	  'make test    every check and every test' \
	  'make setup   only prepare .venv with the passerby command in it' \
	  'make lint    style, types and layers' 'make bench   short forms of the benchmarks' \
	  'make faults  every fault at length, with figures (an hour)' \
	  'make docs    write the generated reference pages' 'make lock    resolve the dependencies anew'

# A stamp a lock file: unchanged locks install nothing.
.venv/.python:
	python=$$($(FIND_PYTHON)); \
	if [ -z "$$python" ]; then echo 'Passerby needs Python 3.11 or newer with venv (Debian: apt install python3 python3-venv).' >&2; exit 2; fi; \
	$$python -m venv .venv && touch $@

.venv/.run: .venv/.python requirements/run.txt pyproject.toml
	echo 'Setting up .venv (once) ...'
	$(PY) -m pip --disable-pip-version-check -qq install --require-hashes -r requirements/run.txt
	$(PY) -m pip --disable-pip-version-check -qq install --no-deps --no-build-isolation -e .
	touch $@

.venv/.test: .venv/.run requirements/test.txt
	echo 'Adding what the tests need (once) ...'
	$(PY) -m pip --disable-pip-version-check -qq install --require-hashes -r requirements/test.txt
	touch $@

setup: .venv/.run

run: .venv/.run
	exec .venv/bin/passerby demo

test: .venv/.test
	$(PY) tools/check.py

lint: .venv/.test
	$(PY) tools/check.py lint

format: .venv/.test
	$(PY) -m ruff format -q src tests benchmarks tools
	$(PY) -m ruff check -q --fix src tests benchmarks tools

bench: .venv/.test
	$(PY) -m benchmarks

faults: .venv/.test
	$(PY) -m tests.faults --kills 50
	$(PY) -m tests.faults --all

docs: .venv/.test
	$(PY) tools/reference.py

# What runs is locked by itself: no test's needs hold it back. The tests take the same versions wherever they can, because
# uv prefers what the file already holds; where they cannot (aiogram wants an older pydantic), theirs replace them.
LOCK := uv pip compile -q --universal --generate-hashes --python-version 3.11 --no-emit-index-url --no-annotate --no-header
lock:
	$(LOCK) --extra build --upgrade pyproject.toml -o requirements/run.txt
	cp requirements/run.txt requirements/test.txt
	$(LOCK) --extra build --extra test pyproject.toml -o requirements/test.txt

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .coverage
