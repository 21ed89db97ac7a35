# make serve · make site · make test · make book: each sets up what it needs and nothing more. Windows without make: README.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export NO_MKDOCS_2_WARNING := 1
PORT ?= 8000

.PHONY: serve site offline test book check lint bench clean help

help: ## what there is to make
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /	/'

serve: $(VENV)/.site site_config/node_modules/.installed ## the site with live reload, http://127.0.0.1:8000
	@$(BIN)/mkdocs serve --dev-addr 127.0.0.1:$(PORT)

site: $(VENV)/.site site_config/node_modules/.installed ## the static site, into site/
	$(BIN)/mkdocs build --strict

offline: $(VENV)/.site site_config/node_modules/.installed ## the site as a folder to open or carry, into site-offline/: open its index.html
	OFFLINE=true $(BIN)/mkdocs build --strict --site-dir site-offline

book: $(VENV)/.book ## the notes as PDFs, into book/: one book, and a study sheet a paper; `make site` then offers them
	$(BIN)/paperimpl book

test: $(VENV)/.test site_config/node_modules/.installed ## everything: lint, types, papers, claims, site, browser
	$(BIN)/ruff format --check src tests conftest.py
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/paperimpl check
	$(BIN)/pytest -n 2

check: $(VENV)/.site ## the vault's health: links, records, results
	$(BIN)/paperimpl check

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("paperimpl needs Python 3.11 or newer, this is " + sys.version.split()[0] + "; say `make PYTHON=/path/to/python3.11 ...`")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.site: pyproject.toml $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[site]'
	@touch $@

$(VENV)/.book: pyproject.toml $(VENV)/.site
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[book]'
	@touch $@

$(VENV)/.test: pyproject.toml constraints-cpu.txt $(VENV)/.site
	$(BIN)/python .ci/torch_index.py > $(VENV)/torch-index
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints-cpu.txt $$(cat $(VENV)/torch-index) -e '.[dev]'
	@touch $@

site_config/node_modules/.installed: site_config/package-lock.json $(VENV)/.site
	$(BIN)/python -m paperimpl.publish.frontend site_config
	@touch $@

bench: $(VENV)/.site ## how long vaults take to build, beside Material: benchmarks/results.json and .svg
	$(BIN)/python -m benchmarks

clean: ## what builds leave behind, the environment included
	rm -rf $(VENV) site site-offline book .cache site_config/node_modules
