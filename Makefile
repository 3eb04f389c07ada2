# `make demo` shows four authorities at work on this machine; `make test` checks everything.
# Both build in the one profile `dev`, so that neither builds what the other has built. `make` alone says this.

.DEFAULT_GOAL := help
.PHONY: help demo test long needs-demo needs-test format dependencies web lint build unit check browser clients test-livekit bench interop licences clean

# The folder that cargo uses, in this repository unless the environment says otherwise.
TARGET := $(abspath $(if $(CARGO_TARGET_DIR),$(CARGO_TARGET_DIR),target))
CONCORD := $(TARGET)/debug/concord
CARGO := cargo
# The first of four ports of `make demo`, and of the checks.
PORT ?= 8101
CHECK_PORT ?= 8301
INTEROP_PORT ?= 8321
DEMO_FOLDER ?= demo-data
# The schedules of `make long`.
FIRST ?= 1
SEEDS ?= 2000

say = @printf '\n== %s\n' "$(1)"

help:
	@echo 'make demo      build, and start four authorities: PORT=8101, DEMO_FOLDER=demo-data'
	@echo 'make test      formatting, dependencies, lints, tests, the demonstration checked, pages in a browser, conference clients'
	@echo 'make long      hostile peers for ten minutes, thousands of simulated schedules, an hour or two: FIRST=1, SEEDS=2000'
	@echo 'make check     only the demonstration, checked without a browser: CHECK_PORT=8301'
	@echo 'make bench     how fast it is, as tables (profile release): bench/run NAME for one of them'
	@echo 'make interop   our logs and seals read by Tessera, Go and age: needs Go'
	@echo 'make test-livekit   the meeting room on a real LiveKit server: needs Go'
	@echo 'make licences  dependencies: licences and known weaknesses, with cargo-deny'
	@echo 'make clean     remove what was built, and the demonstration'

demo: needs-demo build
	$(call say,demonstration: the four addresses are printed when the story is told)
	$(CONCORD) demo --folder $(DEMO_FOLDER) --port $(PORT)

# In this order, also with `make -j`: what is quick to say comes first.
test:
	@$(MAKE) --no-print-directory needs-test
	@$(MAKE) --no-print-directory format
	@$(MAKE) --no-print-directory dependencies
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory unit
	@$(MAKE) --no-print-directory check
	@$(MAKE) --no-print-directory browser
	@$(MAKE) --no-print-directory clients
	$(call say,everything holds)

# Many nodes under faults, one seed each; a seed that fails is printed with what happened, and runs again by `--seed`.
long: build
	$(call say,four hostile peers for ten minutes)
	CONCORD_BIN=$(CONCORD) CONCORD_ATTACK_SECONDS=600 $(CARGO) test --locked -p e2e --test nodes four_hostile_peers -- --nocapture
	$(call say,seeds $(FIRST) and on: $(SEEDS) of them)
	$(CARGO) run --locked -p sim -- --seed $(FIRST) --seeds $(SEEDS) --all

needs-demo:
	$(call say,what building needs)
	@scripts/install-needs.sh demo

needs-test:
	$(call say,what testing needs)
	@scripts/install-needs.sh test

# What runs in a browser is compiled into the program, so it is built first. Nothing is downloaded but what the lock file names,
# and nothing is built whose sources have not changed.
web: web/dist/room.js web/dist/analysis.js

web/node_modules/.package-lock.json: web/package.json web/package-lock.json
	$(call say,what the scripts of pages need)
	cd web && npm ci --no-audit --no-fund
	@touch $@

web/dist/room.js: web/node_modules/.package-lock.json web/build.mjs web/tsconfig.json $(wildcard web/src/*.ts) crates/node/locales/en/room.ftl
	$(call say,scripts of pages)
	cd web && npm run --silent build

# One build makes both.
web/dist/analysis.js: web/dist/room.js ;

format:
	$(call say,formatting)
	$(CARGO) fmt --all --check

# Which licences, from where, and how many versions of one crate. It needs no list of weaknesses, and so no network once cargo
# has the crates.
dependencies:
	$(call say,dependencies)
	scripts/cargo-deny.sh --locked check --hide-inclusion-graph licenses bans sources

lint: web
	$(call say,lints)
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings

build: web
	$(call say,build)
	$(CARGO) build --locked -p node

# A PostgreSQL server of its own, on a free port, gone afterwards. The program is there before the tests that run it.
unit: build
	$(call say,tests)
	cd web && npm test --silent
	CONCORD_BIN=$(CONCORD) scripts/postgres-for-tests.sh run $(CARGO) test --locked --workspace

check: build
	$(call say,the demonstration checked without a browser)
	$(CONCORD) demo --check --json --port $(CHECK_PORT)

# The browser is Debian's; nothing is downloaded but what the lock file names.
browser: build
	$(call say,pages in a browser)
	@if [ -f tests/browser/package-lock.json ]; then \
		cd tests/browser && npm ci --no-audit --no-fund && CONCORD_BIN=$(CONCORD) npm test; \
	else \
		echo 'there are no browser tests in tests/browser' >&2; exit 1; \
	fi

# The Python SDK comes from PyPI into tests/meet/.venv, the others from npm by their lock file.
clients: build
	$(call say,stock LiveKit clients in the conference engine)
	CONCORD_BIN=$(CONCORD) tests/meet/run

# The meeting room of the demonstration on a real LiveKit server, which Go builds, in place of the engine in the program.
LIVEKIT_VERSION := v1.13.5
LIVEKIT := $(TARGET)/livekit-$(LIVEKIT_VERSION)/server

$(LIVEKIT):
	$(call say,LiveKit server $(LIVEKIT_VERSION))
	GOBIN=$(dir $(LIVEKIT)) go install github.com/livekit/livekit-server/cmd/server@$(LIVEKIT_VERSION)

test-livekit: build $(LIVEKIT)
	$(call say,the meeting room on a LiveKit server)
	cd tests/browser && npm ci --no-audit --no-fund && CONCORD_BIN=$(CONCORD) LIVEKIT_SERVER=$(LIVEKIT) npm run test:room

# Seconds each; `bench/run --full` measures as much as the aims say.
bench: web
	$(call say,how fast it is)
	bench/run

interop: build
	$(call say,read by programs that were not written here)
	cd bench/interop && go build -mod=readonly -o $(TARGET)/interop .
	$(TARGET)/interop -concord $(CONCORD) -port $(INTEROP_PORT) -vectors crates/record/tests/vectors

licences:
	scripts/cargo-deny.sh --locked check

clean:
	$(CARGO) clean
	rm -rf $(DEMO_FOLDER) tests/browser/node_modules tests/browser/out web/node_modules web/dist \
		tests/meet/.venv tests/meet/browser/node_modules
