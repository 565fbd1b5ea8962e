# Everything a checkout can do. The first call makes .venv and installs what
# is needed, with the versions of constraints.txt.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# A file's tests share what they build, so a file goes to one process.
PYTEST := $(BIN)/python -m pytest --numprocesses=logical --maxprocesses=4 \
	--dist=loadfile --no-loadscope-reorder

.PHONY: demo test test-slow test-all test-detect test-cluster faults soak fuzz lint format \
	setup clean

# Colorizes the pictures that ship with the package.
demo: $(READY)
	$(BIN)/tfcolor demo --output=demo_output --overwrite

# Checks style and runs the quick tests: 6 minutes on two cores, 11 on older ones.
test: lint
	$(PYTEST)

# The others of seconds each: trainings, exports, kills. Ten minutes.
test-slow: $(READY)
	$(PYTEST) -m "slow and not long and not detect"

# What takes minutes too.
test-all: lint
	$(PYTEST) -m "not detect"

# Builds and exports a Model Garden Mask R-CNN: 3.5 GB more in .venv.
test-detect: $(READY)
	$(BIN)/pip install --quiet --disable-pip-version-check -e ".[detect]"
	$(BIN)/python -m pytest -m detect

# On a Ray cluster of two nodes on this machine, and a local S3 server: 1.2 GB
# more in .venv.
test-cluster: $(READY)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt \
		-e ".[cluster]" "moto[s3,server]"
	$(BIN)/python -m pytest -m "slow or long or not slow" tests/cluster

# Kills commands at random moments and looks at what is left: docs/reliability.md.
TIMES ?= 30
faults: $(READY)
	TF_CPP_MIN_LOG_LEVEL=3 $(BIN)/python -m tests.faults.kill --times=$(TIMES)

# Good and bad requests for so long, and the curve of memory.
soak: $(READY)
	$(BIN)/python -m tests.faults.soak --minutes=$(or $(MINUTES),10)

# Feeds changed files to everything that reads files from anywhere, so many
# minutes each; what goes wrong is kept in fuzz_output.
FUZZED ?= decode boxes coco hints pth model export
fuzz: $(READY)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[fuzz]"
	@for target in $(FUZZED); do \
		$(BIN)/python -m fuzz.targets $$target --minutes=$(or $(MINUTES),30) || exit 1; \
	done

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

setup: $(READY)

$(READY): setup.py constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v < (3, 14) else "tfcolor needs Python 3.11 to 3.13; this is %d.%d. Name another one: make PYTHON=python3.12" % v)'
	@echo "Installing into $(VENV): about a minute."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	@touch $(READY)

clean:
	rm -rf $(VENV) demo_output fuzz_output build *.egg-info
