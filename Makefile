# make demo       the whole matrix on one real CT
# make test       every check there is
# make quick      the tests without the slow ones: about a minute
# make test-slurm a small benchmark on a real Slurm, which it installs and starts
# make docs       the documentation site, in site/
# make generated  the parts of docs/ and config/schema.json that the code declares, and Figure 1
# Needs Python 3.11 or newer; everything else goes into .venv.

PYTHON ?= python3
VENV := .venv
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
DEMO := --configfile config/demo.yaml --cores 2 --resources gpu=0

.PHONY: demo test test-slurm quick lint docs generated install install-test clean

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
	pytest -n 2 --dist loadfile

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

docs: install-test
	zensical build --clean --strict

generated: install-test
	python docs/generate.py
	snakemake --rulegraph $(DEMO) | fplbench workflow-figure docs/images/workflow.svg /dev/stdin

clean:
	rm -rf $(VENV) results/demo site .cache .mypy_cache
