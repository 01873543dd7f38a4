# make demo       the whole matrix on one real CT
# make test       every check there is
# make quick      the tests without the slow ones: about a minute
# make test-slurm a small benchmark on a real Slurm, which it installs and starts
# make chaos      small runs whose processes are killed 30 times, and whose disk, clock, memory or files fail
# make fuzz       the tests with made-up inputs, with 2000 random ones each instead of 25 that are always the same
# make audit      known vulnerabilities of the pinned dependencies; needs the internet
# make sbom       all installed packages with versions and licences (CycloneDX), in build/sbom.json
# make docs       the documentation site, in site/
# make generated  the parts of docs/ and config/schema.json that the code declares, and Figure 1
# Needs Python 3.11 or newer; everything else goes into .venv.

PYTHON ?= python3
VENV := .venv
AUDIT := build/audit
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
DEMO := --configfile config/demo.yaml --cores 2 --resources gpu=0

.PHONY: demo test test-slurm quick chaos fuzz audit sbom lint docs generated install install-test clean

install: $(VENV)/installed
install-test: $(VENV)/installed-test

$(VENV)/installed: pyproject.toml envs/constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "fplbench needs Python 3.11 or newer")'
	$(PYTHON) -m venv $(VENV)
	pip install --quiet --disable-pip-version-check --constraint envs/constraints.txt --editable '.[restormer]'
	touch $@

$(VENV)/installed-test: $(VENV)/installed
	pip install --quiet --disable-pip-version-check --constraint envs/constraints.txt --editable '.[docs,test]'
	touch $@

demo: install
	fplbench fetch sample data/sample
	snakemake $(DEMO)
	@cat results/demo/tables/lidc.md
	@echo
	@cat results/demo/lesions.md
	@echo
	@echo 'All on one page: results/demo/report.html'
	@echo 'Tables: results/demo/tables/   Figures: results/demo/figures/   Logs: results/demo/logs/'
	@echo 'To look at images: results/demo/explorer/lidc.html, lits.html and rsna.html (a double click opens them)'

test: lint docs
	pytest -n 2 --dist loadfile --no-loadscope-reorder

quick: install-test
	pytest -n 2 --dist worksteal -m 'not slow'

# The short form: make test-slurm SLURM_TESTS='slurm and not slow'
SLURM_TESTS ?= slurm
SLURM_PACKAGES := slurmctld slurmd slurm-client

test-slurm: install-test
	pip install --quiet --disable-pip-version-check --constraint envs/constraints.txt --editable '.[slurm]'
	@if ! PATH="$$PATH:/usr/sbin" sh -c 'command -v slurmctld && command -v slurmd && command -v sbatch' >/dev/null; then \
		if [ "$$(id -u)" != 0 ]; then echo 'Slurm is missing: sudo apt-get install --no-install-recommends $(SLURM_PACKAGES)'; exit 1; fi; \
		apt-get update -qq && apt-get install -y -qq --no-install-recommends $(SLURM_PACKAGES) >/dev/null; \
	fi
	pytest -rs -m '$(SLURM_TESTS)' tests/slurm

lint: install-test
	ruff check .
	ruff format --check .
	snakefmt --check Snakefile workflow
	snakemake --lint --configfile config/demo.yaml
	mypy
	typos
	check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/ci.yml
	check-jsonschema --builtin-schema vendor.github-issue-forms .github/ISSUE_TEMPLATE/bug.yml .github/ISSUE_TEMPLATE/method.yml
	check-jsonschema --schemafile config/schema.json config/*.yaml

# CHAOS_SEED=... repeats the draws of a run, which prints its own
CHAOS_ROUNDS ?= 30

chaos: install-test
	FPLBENCH_CHAOS_ROUNDS=$(CHAOS_ROUNDS) $(if $(CHAOS_SEED),FPLBENCH_CHAOS_SEED=$(CHAOS_SEED)) pytest -rs -s -m 'chaos or slow' tests/chaos

fuzz: install-test
	FPLBENCH_FUZZ=long pytest -n 2 tests/fuzz tests/applying/running/test_safety.py

# Strict: a package that the service does not know is an error, not passed over.
audit: $(AUDIT)/installed
	$(AUDIT)/bin/pip-audit --requirement envs/constraints.txt --no-deps --disable-pip --strict

sbom: install $(AUDIT)/installed
	$(AUDIT)/bin/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible --validate \
	    --output-file build/sbom.json $(VENV)/bin/python
	@echo 'Written: build/sbom.json'

$(AUDIT)/installed:
	$(PYTHON) -m venv $(AUDIT)
	$(AUDIT)/bin/pip install --quiet --disable-pip-version-check cyclonedx-bom==7.5.0 pip-audit==2.10.1
	touch $@

docs: install-test
	zensical build --clean --strict

generated: install-test
	python docs/generate.py
	snakemake --rulegraph $(DEMO) | fplbench workflow-figure docs/images/workflow.svg /dev/stdin

clean:
	rm -rf $(VENV) build results/demo site .cache .mypy_cache
