# Everything that is done with this repository, by people and by CI alike. Start with `make help`.
# Nothing has to be installed beforehand but Python 3.13 and make: each target sees to what it needs.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory --warn-undefined-variables

SEEDS ?= 2000
ENV ?=
ARGS ?=
# The processor of this machine, as SAM names it; what is deployed keeps to samconfig.toml.
ARCHITECTURE := $(if $(filter aarch64 arm64,$(shell uname -m)),arm64,x86_64)

IMPORT_ROOTS := PYTHONPATH=.:layers/common/python
PYTHON := $(IMPORT_ROOTS) .venv/bin/python
STACK_PYTHON := $(IMPORT_ROOTS) .venv-stack/bin/python

# SAM finds the python3.13 that it builds with beside itself, and its own calls of make know nothing of this one. Whatever
# account this machine is signed in to, building and checking never ask it anything.
SAM := PATH="$(CURDIR)/.venv-sam/bin:$$PATH" MAKEFLAGS= SAM_CLI_TELEMETRY=0 .venv-sam/bin/python -m samcli
OFFLINE := env -u AWS_PROFILE -u AWS_ENDPOINT_URL AWS_EC2_METADATA_DISABLED=true AWS_DEFAULT_REGION=ap-northeast-1 \
	AWS_ACCESS_KEY_ID=none AWS_SECRET_ACCESS_KEY=none

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

# --- what the targets stand on -------------------------------------------------------------------------------------

ENVIRONMENTS := .venv .venv-runtime .venv-sam .venv-stack

.PHONY: setup
setup: ## make the four environments (requirements/); instant when nothing changed
	@$(MAKE) --silent -j3 $(ENVIRONMENTS:=/.ready)

.venv/.ready: requirements/dev.txt tools/environment
	@tools/environment .venv $< layers/common/python

.venv-%/.ready: requirements/%.txt tools/environment
	@tools/environment .venv-$* $<

.PHONY: locks
locks: ## rewrite the lock files from requirements/*.in
	@tools/locks

# AWS's own DynamoDB Local, as Amplify publishes it on npm; the jar is in emulator/.
.PHONY: dynamodb-local
dynamodb-local: .local/dynamodb-local/.ready ## fetch AWS's DynamoDB Local, the second engine of the store's tests
	@tools/system-package java default-jre-headless

.local/dynamodb-local/.ready: Makefile tools/npm-package
	@tools/system-package npm npm
	@tools/npm-package amplify-dynamodb-simulator 2.9.30 \
		3503ffac19f183407909fecdacf4db51ab1fdad1da7b2f177016670b2d80e4b9 .local/dynamodb-local

# Shopify's Admin schema, as Shopify publishes it on npm for tools; it is in dist/data/.
.PHONY: shopify-schema
shopify-schema: .local/shopify-schema/.ready ## fetch Shopify's Admin schema, for the fake Shopify

.local/shopify-schema/.ready: Makefile tools/npm-package
	@tools/system-package npm npm
	@tools/npm-package @shopify/dev-mcp 1.16.0 \
		4663c79229028e98f825a09d5f04ec6c3736331b740ce50260f9ffac10709474 .local/shopify-schema

.PHONY: extension-tools
extension-tools:
	@tools/system-package npm npm
	@tools/extension-tools

# The bundler of my page's script, as esbuild publishes it on npm for each processor.
.PHONY: esbuild
esbuild: .local/esbuild/.ready ## fetch esbuild, which bundles my page

.local/esbuild/.ready: Makefile tools/npm-package
	@tools/system-package npm npm
	@case $(ARCHITECTURE) in \
		arm64) name=linux-arm64 sum=a96dbfa41d3ef5dbd1ef22b1c10d5187be9267e86093a870f06402a7ec931596;; \
		*) name=linux-x64 sum=9573bb2233aab0f9ea7647d5cca9726113cc1768de61d66b17267f4db84488f6;; \
	esac; tools/npm-package @esbuild/$$name 0.28.2 $$sum .local/esbuild

# Deque's rules of accessibility, with which the tests of the page look at every state.
.PHONY: axe-core
axe-core: .local/axe-core/.ready ## fetch axe-core, for the tests of the page

.local/axe-core/.ready: Makefile tools/npm-package
	@tools/system-package npm npm
	@tools/npm-package axe-core 4.14.1 \
		e6b0ce02b84d892e2e33e403485e7f3d6c29e2be6df65daf44d89ba564139745 .local/axe-core

.PHONY: page-tools
page-tools: browser esbuild axe-core ## what the tests of the page need

.PHONY: browser
browser: ## install Chromium and Japanese fonts, for the tests of the page
	@tools/system-package chromium chromium fonts-dejavu-core fonts-noto-cjk

# --- check and test ------------------------------------------------------------------------------------------------

CHECKS := check-format check-lint check-types check-imports check-template
.PHONY: check $(CHECKS)
check: setup ## format, lint, types, import rules, template: each is checked, whatever the others say
	@$(MAKE) -j2 --keep-going --output-sync=target $(CHECKS)

check-format:
	@echo "format ..."
	@$(PYTHON) -m ruff format --check --quiet --output-format concise . || { echo "Run 'make format' to fix this."; exit 1; }

check-lint:
	@echo "lint ..."
	@$(PYTHON) -m ruff check --quiet .

check-types:
	@echo "types ..."
	@$(PYTHON) -m mypy --no-error-summary

check-imports:
	@echo "import rules ..."
	@$(IMPORT_ROOTS) .venv/bin/lint-imports --no-logo --cache-dir .local/import-linter

check-template:
	@echo "template ..."
	@$(OFFLINE) $(SAM) validate --lint

.PHONY: format
format: .venv/.ready ## format the code and apply automatic lint fixes
	@$(PYTHON) -m ruff check --quiet --fix-only .
	@$(PYTHON) -m ruff format --quiet .

# The folders of tests named in ARGS; none: all tests run. `touched` is empty where none of the given folders is among them,
# so what only those need is not installed.
TEST_PATHS := $(if $(filter tests tests/,$(ARGS)),,$(filter tests/%,$(ARGS)))
touched = $(if $(TEST_PATHS),$(filter $(patsubst %,tests/%,$(addsuffix %,$1)),$(TEST_PATHS)),all)

# What cannot be installed is named, and the tests that need it fail: none is skipped.
# Three processes also on two cores: end-to-end tests wait more than they compute.
.PHONY: test
test: .venv/.ready ## run all tests; make test ARGS="tests/unit -x" runs some
	@$(if $(call touched,artifacts e2e engines integration simulation),$(MAKE) setup,:)
	@$(if $(call touched,artifacts e2e integration),$(MAKE) build,:)
	@$(if $(call touched,engines),$(MAKE) dynamodb-local || echo "The tests on AWS's DynamoDB Local will fail." >&2,:)
	@$(if $(call touched,contract e2e integration),$(MAKE) shopify-schema || echo "The tests of what Shopify is asked will fail." >&2,:)
	@$(if $(call touched,e2e extensions),$(MAKE) build-extensions || echo "The tests of Shopify's extensions will fail." >&2,:)
	@$(if $(call touched,e2e integration),$(MAKE) page-tools || echo "The tests of the page in a browser will fail." >&2,:)
	@$(PYTHON) -m pytest -n 3 --no-loadscope-reorder $(or $(ARGS),tests)

QUICK := tests/unit tests/property tests/functions tests/cases tests/contract tests/architecture

.PHONY: quick
quick: .venv/.ready ## the tests that need no build, Java, npm or browser and are not slow, in under a minute
	@$(PYTHON) -m pytest -q -n 2 --hypothesis-profile quick -m "not shopify_schema and not slow" $(or $(ARGS),$(QUICK))

.PHONY: coverage
coverage: setup ## branch coverage of domain, ledger and store
	@$(MAKE) dynamodb-local shopify-schema
	@$(PYTHON) -m pytest -q --cov-branch --cov-report=term-missing:skip-covered \
		--cov=pointbook.domain --cov=pointbook.ledger --cov=pointbook.store $(QUICK) tests/engines tests/simulation

.PHONY: prove
prove: .venv/.ready ## run the ledger against the plain model under random schedules; make prove SEEDS=2000
	@$(PYTHON) -m tests.simulation.prove --seeds $(SEEDS)

.PHONY: bench
bench: setup build ## measure, side by side, and write the report
	@$(PYTHON) -m bench

# --- build, run, deploy --------------------------------------------------------------------------------------------

# Nothing is built again unless something has changed: a source, a folder, or the build itself by a `sam build` of one's
# own. SAM's cache sees the sources but not the makefiles that build them.
BUILT := .aws-sam/build/.built-$(ARCHITECTURE)
SOURCES = $(shell find functions layers template.yaml -name __pycache__ -prune -o -print) $(wildcard .aws-sam/build.toml)

.PHONY: build
build: $(BUILT) ## sam build, for this machine's processor

$(BUILT): .venv-sam/.ready $(SOURCES)
	@mkdir -p .local .aws-sam
	@if [ -e .aws-sam/.building ]; then rm -rf .aws-sam/build .aws-sam/cache; fi  # a build was interrupted
	@touch .aws-sam/.building
	@if [ -n "$$(find layers/common/build.mk layers/common/*/Makefile functions/Makefile -newer .aws-sam/cache 2>/dev/null)" ]; then rm -rf .aws-sam/cache; fi
	@tools/with-progress build .local/build.log $(OFFLINE) $(SAM) build --cached --parallel --parameter-overrides Architecture=$(ARCHITECTURE)
	@rm -f .aws-sam/.building .aws-sam/build/.built-* && touch $@

# Without Shopify and without a login; what is installed is pinned in shopify/package-lock.json.
.PHONY: build-extensions
build-extensions: extension-tools ## bundle the extensions for Shopify and hold their sizes to its limits
	@node shopify/build.mjs .local/extensions shopify/extensions/points-section/assets

# Variables on make's command line (PORT, DETACH, template parameters such as HOLD_SECONDS=5) are in the environment of
# its commands, where the local stack reads them.
.PHONY: run
run: parameters .venv/.ready .venv-stack/.ready shopify-schema esbuild build ## the whole stack on 127.0.0.1; PORT=8080 DETACH=1 HOLD_SECONDS=5 ...
	@$(STACK_PYTHON) -m local run

# A slip such as HOLD_SECOND=5 is named before anything is made.
.PHONY: parameters
parameters:
	@python=$$(tools/python313) && "$$python" tools/parameters.py

.PHONY: stop
stop: ## stop a stack that was started with DETACH=1
	@tools/stop

.PHONY: deploy
deploy: .venv/.ready .venv-sam/.ready ## build and deploy to AWS; make deploy ENV=dev|staging|prod
	@test -n "$(ENV)" || { echo "ENV is missing: make deploy ENV=dev (or staging, prod; see samconfig.toml)."; exit 1; }
	@grep -qF "[$(ENV).deploy." samconfig.toml || { echo "samconfig.toml has no '$(ENV)': use ENV=dev, staging or prod."; exit 1; }
	@$(PYTHON) -m tools.deployment before $(ENV)
	@$(SAM) build --config-env $(ENV) && $(SAM) deploy --config-env $(ENV)
	@$(PYTHON) -m tools.deployment after $(ENV)

.PHONY: events
events: .venv/.ready ## rewrite the sample events (tools/make_events.py)
	@$(PYTHON) -m tools.make_events

.PHONY: api-page
api-page: .venv/.ready ## rewrite docs/api.html from docs/openapi.yaml
	@$(PYTHON) -m tools.make_api_page

.PHONY: bundle
bundle: esbuild ## bundle the point section for a page of your own, into .local/bundle
	@.local/esbuild/bin/esbuild web/points.js web/points.css --bundle --minify --format=esm --target=es2022 --charset=utf8 \
		--outdir=.local/bundle

.PHONY: pictures
pictures: .venv/.ready esbuild browser ## take pictures of every state of my page
	@$(PYTHON) -m tools.make_drift_picture
	@$(PYTHON) -m tools.make_books_picture
	@$(PYTHON) -m tools.make_pictures

.PHONY: clean
clean: ## remove everything that make made
	@tools/stop || echo "A stack may be left running." >&2
	@rm -rf shopify/node_modules shopify/extensions/points-section/assets
	@rm -rf .aws-sam .local .venv .venv-* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
