# Each target is one call of the real tool. `make run` and `make test` are all a newcomer needs.
PYTHON ?= python3
PORT ?= 8000
BIN := .venv/bin
UV := $(BIN)/uv
MEMBERS := proto services/text services/tts services/lipsync gateway gateway/client
IMAGES := text tts lipsync gateway client
RUN_LOCKS := requirements/build.lock $(IMAGES:%=requirements/%.lock)

.PHONY: run test test-fast lint bench load chaos scaling dashboard audit train images image-gpu lock clean

run: .venv/.run
	$(BIN)/visavis serve --port $(PORT)

# Two at a time, each file in one of them: what a file starts is started once. WORKERS=0: one after the other.
WORKERS ?= 2
PYTEST := $(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder
test: .venv/.dev
	$(PYTEST)

test-fast: .venv/.dev
	$(PYTEST) -m "not slow"

lint: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/buf lint proto

# 200 replies while gateways, workers and connections die: their clients must notice nothing.
chaos: .venv/.dev
	$(BIN)/python -m tests.chaos

bench: .venv/.dev
	$(BIN)/python -m tests.benchmark

# 2,000 readers of 100 replies on one gateway process, for ten minutes; SECONDS=60 for less.
load: .venv/.dev
	$(BIN)/python -m tests.benchmark.load --seconds $(or $(SECONDS),600)

# Obeys our own ScaledObject with real workers: a few minutes.
scaling: .venv/.dev
	$(BIN)/python -m tests.deploy.scaling

# Minutes of real replies, drawn with Grafana's own panels: deploy/dashboard.jpg. Needs Prometheus, npm and Chromium.
dashboard: .venv/.dev build/dashboard/page.js
	$(BIN)/python -m tests.deploy.dashboard

build/dashboard/page.js: $(wildcard tests/deploy/dashboard/page/*)
	mkdir -p build/dashboard
	cp tests/deploy/dashboard/page/.npmrc $^ build/dashboard
	cd build/dashboard && npm ci --silent --no-audit --no-fund && npm run page

# What hadolint and checkov have against images and manifests; their own packages stay out of the way.
audit: .venv/.dev build/audit/.ready
	$(BIN)/python -m tests.deploy.audit build/audit/bin

build/audit/.ready: $(UV) requirements/audit.lock
	$(PYTHON) -m venv build/audit
	$(UV) pip install --quiet --python build/audit/bin/python --no-deps --require-hashes -r requirements/audit.lock
	touch $@

# Makes the network and the avatars again: two to three hours on two cores. Needs npm and a C compiler.
train: build/train/.ready
	for step in corpus mouth evaluate frames decoder loop bundle picture; do \
		build/train/bin/python -m services.lipsync.training $$step || exit 1; done

# torch comes from whatever index pip is set up with, so that it may be a build without CUDA.
build/train/.ready: $(UV) requirements/train.lock
	$(PYTHON) -m venv build/train
	$(UV) pip install --quiet --python build/train/bin/python --no-deps --require-hashes -r requirements/build.lock -r requirements/train.lock
	$(UV) pip install --quiet --python build/train/bin/python --no-deps --no-build-isolation -e ./proto -e ./services/lipsync
	build/train/bin/python -m pip install --quiet --disable-pip-version-check torch==2.13.0
	touch $@

# The four images, with whatever builds Dockerfiles here: ENGINE=podman, ENGINE=buildah.
ENGINE ?= docker
TAG ?= dev
# Podman and Buildah keep a HEALTHCHECK in Docker's format alone, and compose.yaml waits for health.
export BUILDAH_FORMAT := docker
images:
	for image in services/text services/tts services/lipsync gateway; do \
		$(ENGINE) build -f $$image/Dockerfile -t visavis-$$(basename $$image):$(TAG) . || exit 1; done

# The same video worker with CUDA's libraries.
image-gpu:
	$(ENGINE) build --build-arg REQUIREMENTS=lipsync-gpu -f services/lipsync/Dockerfile -t visavis-lipsync-gpu:$(TAG) .

clean:
	rm -rf .venv build var

# A virtual environment with uv in it, checked against its hash.
$(UV): requirements/bootstrap.lock
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv .venv || { echo "On Debian and Ubuntu: sudo apt-get install python3-venv"; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.lock
	touch $@

# What the four processes and the command need, nothing else. The members come without dependencies, editable.
.venv/.run: $(UV) $(RUN_LOCKS) $(MEMBERS:%=%/pyproject.toml) $(wildcard proto/visavis/v1/*.proto)
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --require-hashes $(RUN_LOCKS:%=-r %)
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation $(MEMBERS:%=-e ./%)
	$(BIN)/python -m services.tts.pico.source
	touch $@

.venv/.dev: .venv/.run requirements/dev.lock
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --require-hashes -r requirements/dev.lock
	touch $@

# Pins with hashes; the images' pins agree with the development ones.
COMPILE := $(UV) pip compile --quiet --universal --generate-hashes --no-header \
	--no-emit-package visavis $(IMAGES:%=--no-emit-package visavis-%)
lock: $(UV)
	$(COMPILE) requirements/bootstrap.in -o requirements/bootstrap.lock
	$(COMPILE) pyproject.toml --group build --group dev -o requirements/dev.lock
	$(COMPILE) --group build -c requirements/dev.lock -o requirements/build.lock
	for image in text tts lipsync; do \
		$(COMPILE) services/$$image/pyproject.toml -c requirements/dev.lock -o requirements/$$image.lock; done
	$(COMPILE) services/lipsync/pyproject.toml --extra gpu --no-emit-package onnxruntime \
		-c requirements/dev.lock -o requirements/lipsync-gpu.lock
	$(COMPILE) services/lipsync/pyproject.toml --extra training -c requirements/dev.lock -o requirements/train.lock
	$(COMPILE) gateway/pyproject.toml -c requirements/dev.lock -o requirements/gateway.lock
	$(COMPILE) gateway/client/pyproject.toml -c requirements/dev.lock -o requirements/client.lock
	$(COMPILE) requirements/audit.in -o requirements/audit.lock
