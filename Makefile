# `make` says what there is. Needs Python 3.11 or newer with venv, git and make; everything else goes into .venv.

MADE := .venv/.made
UV := 0.13.9

# What a person's shell or pip settings could change about the .venv. (pip's index is theirs to choose.)
unexport PIP_CONSTRAINT PIP_PREFIX PIP_ROOT PIP_TARGET PYTHONHOME PYTHONPATH VIRTUAL_ENV
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1
export PIP_USER := 0

PIP := .venv/bin/python -m pip -qq
FIND_PYTHON := for python in $(or $(PYTHON),python3 python3.13 python3.12 python3.11 python3.14); do \
	"$$python" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; \
	python=; \
	done; \
	test -n "$$python" || { echo 'Python 3.11 or newer with venv is needed (Debian: apt-get install python3-venv)' >&2; exit 1; }

.PHONY: help demo test soak wheel lint bench constraints clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

demo: $(MADE)  ## a whole rollout on the example fleet with a fast clock
	@.venv/bin/tsunami demo

test: $(MADE)  ## the tests, on all cores, with the coverage gate (ARGS='-k name --no-cov' for some of them)
	@.venv/bin/python -m pytest -n auto --dist worksteal --no-header --cov -m 'not slow' $(ARGS)

soak: $(MADE)  ## the long runs of tests that have a short form in `make test`: simulated weeks, kills at every step
	@.venv/bin/python -m pytest -n auto --dist worksteal --no-header -m slow $(ARGS)

wheel: $(MADE)  ## sdist and wheel in dist/, and the tests of the one against the other, without the sources (ARGS as for test)
	@rm -rf dist .cache/wheel && mkdir -p .cache/wheel/sdist
	@.venv/bin/python -m build --no-isolation
	@.venv/bin/python -m venv .cache/wheel/venv
	@.cache/wheel/venv/bin/python -m pip -qq install --require-hashes --no-deps -r .ci/constraints.txt
	@.cache/wheel/venv/bin/python -m pip -qq install --no-deps dist/*.whl
	@tar -xzf dist/*.tar.gz -C .cache/wheel/sdist --strip-components=1 && rm -rf .cache/wheel/sdist/tsunami_cli
	@cd .cache/wheel/sdist && ../venv/bin/python -m pytest -n auto --dist worksteal --no-header -m 'not slow' $(ARGS)

lint: $(MADE)  ## style, types, layers, schemas, workflows: every complaint, not only the first
	@status=0; \
	try() { echo "$$*"; "$$@" || status=1; }; \
	cd .venv/bin && PATH="$$PWD:$$PATH" && cd ../..; \
	try ruff check --quiet .; \
	try ruff format --quiet --check .; \
	try mypy --no-error-summary; \
	try lint-imports --no-logo --cache-dir .cache/import-linter; \
	try check-jsonschema --check-metaschema schemas/*.schema.json; \
	try check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml \
		tsunami_cli/template/.github/workflows/*.yml; \
	try check-jsonschema --builtin-schema vendor.github-actions .github/actions/*/action.yml; \
	try check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml; \
	try check-jsonschema --builtin-schema vendor.gitlab-ci docs/ci/gitlab-ci.yml; \
	try zizmor --offline --quiet --persona pedantic .github tsunami_cli/template/.github; \
	exit $$status

bench: $(MADE)  ## how fast, beside the budgets
	@.venv/bin/python benchmarks/run.py $(ARGS)

constraints:  ## pins the newest versions that pyproject.toml allows, by hash, in .ci/constraints.txt
	@$(FIND_PYTHON); \
	tools=$$(mktemp -d) && trap 'rm -rf "$$tools"' EXIT && \
	"$$python" -m venv "$$tools" && "$$tools/bin/python" -m pip --quiet install uv==$(UV) && \
	"$$tools/bin/uv" pip compile --quiet --upgrade --universal --python-version 3.11 --all-extras --group dev \
		--generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command 'make constraints' \
		--output-file .ci/constraints.txt pyproject.toml && \
	if grep -nE '://|@ |^-|(^|[^a-z])/[a-z]' .ci/constraints.txt; then echo 'these lines are not for everyone' >&2; exit 1; fi

clean:  ## away with .venv, caches and builds
	@rm -rf .venv .cache dist build *.egg-info
	@find tsunami_cli tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

# Everything anew where the pins changed; where only pyproject.toml did, the project alone.
.venv/.packages: .ci/constraints.txt
	@$(FIND_PYTHON); \
	echo "Making .venv with $$("$$python" --version), once: about half a minute"; \
	rm -rf .venv && "$$python" -m venv .venv
	@# All of it is in the file; an older pip would look for the extras of what is pinned, and find a newer release.
	@$(PIP) install --require-hashes --no-deps -r .ci/constraints.txt
	@touch $@

$(MADE): .venv/.packages pyproject.toml
	@$(PIP) install --no-deps --no-build-isolation -e .
	@problems=$$(.venv/bin/python -m pip check) || \
		{ echo "$$problems"; echo 'pyproject.toml and .ci/constraints.txt differ: make constraints'; exit 1; } >&2
	@# hatchling copies what it is forced to include even here: a second tsunami_cli, and soon a stale one.
	@rm -rf .venv/lib/python*/site-packages/tsunami_cli
	@touch $@
