# `make run` and `make test` are all that most people need. The rest is for work on the code.
.DEFAULT_GOAL := help
.SILENT:
.PHONY: help run test test-seeds test-all setup lint format bench faults mutants lock docs picture clean

PY := .venv/bin/python
# Take `python3` if it is new enough, and then the oldest version that is, so that a laptop and CI use the same one.
FIND_PYTHON = for p in python3 python3.11 python3.12 python3.13 python3.14 python3.15; do \
	if $$p -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then echo $$p; exit; fi; done

help:
	printf '%s\n' 'make run       try it in your browser: two strangers on two bots, no token needed' \
	  'make test      every check, and tests of every ability, both databases, Redis and a browser' \
	  'make test-all  the long forms of the tests: more seeds, every fault, every language' \
	  'make test-seeds  of the long forms, those that run in a virtual clock' \
	  'make setup     only create .venv with the passerby command' \
	  'make lint      check style, types and layers' \
	  'make format    format the code' \
	  'make bench     run the short benchmarks' \
	  'make faults    run every fault test in its long form, with figures (one hour)' \
	  'make mutants   plant bugs by hand and by machine, and say which ones the tests miss (hours)' \
	  'make docs      write the generated reference pages' \
	  'make picture   take all pictures of the documentation again; about three minutes' \
	  'make lock      update the lock files to the newest versions' \
	  'make clean     remove .venv and the caches'

# Each lock file has a marker file in .venv. If the lock file has not changed, nothing is installed again.
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

test-seeds: .venv/.test
	$(PY) tools/check.py seeds

test-all: .venv/.test
	$(PY) tools/check.py long

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

mutants: .venv/.test
	-$(PY) -m tests.planted --jobs 2
	$(PY) -m tests.planted.mutants --jobs 2

docs: .venv/.test
	$(PY) tools/reference.py

picture: .venv/.test
	$(PY) -m tests.browser.two_phones
	$(PY) -m tests.browser.panel_pictures
	$(PY) -m tests.browser.staff_pictures
	$(PY) tools/terminal_pictures.py
	$(PY) tools/load_test_picture.py

# The program has a lock file of its own, so that no test library holds back its versions. The tests use the same
# versions where they can: uv keeps the versions that are already in the file. Where they cannot (aiogram needs an older
# pydantic), the tests get their own version.
LOCK := uv pip compile -q --universal --generate-hashes --python-version 3.11 --no-emit-index-url --no-annotate --no-header
lock:
	$(LOCK) --extra build --upgrade pyproject.toml -o requirements/run.txt
	cp requirements/run.txt requirements/test.txt
	$(LOCK) --extra build --extra test --extra passkeys pyproject.toml -o requirements/test.txt
	cp requirements/run.txt requirements/images.txt
	$(LOCK) --extra build --extra images pyproject.toml -o requirements/images.txt

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .coverage
