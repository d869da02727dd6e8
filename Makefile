# SPDX-License-Identifier: GPL-3.0-or-later
# The one interface for working on the project; the steps behind it are in scripts/.

BIN     := .build/release/conntrack-mon
# Identical functions are one: what a generic makes for each type is often the same code.
RELEASE := -c release --static-swift-stdlib -Xlinker -s -Xlinker --icf=safe
ARGS    ?=
SECONDS ?= 60

.NOTPARALLEL:
.PHONY: help run test unit gate check fuzz demo bench build size format golden tsan asan clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-7s %s\n", $$1, $$2 }' Makefile

run: build ## watch this host; ARGS="--interval 5s" is passed on
	@exec $(BIN) watch $(ARGS)

test: ## all tests; FILTER=Name runs some
	@scripts/deps.sh run test
	@scripts/test.sh

unit: ## the tests that start no process and make no namespace, in seconds; FILTER=Name runs some
	@scripts/deps.sh run
	@UNIT=1 scripts/test.sh

gate: ## what is promised of the hot path: instructions an event, no allocation, no retain
	@scripts/deps.sh run gate
	@scripts/hotpath.sh

check: ## everything CI runs: format, lint, build, size, gate, test, tsan, a short fuzz
	@scripts/check.sh

fuzz: ## fuzz the C decoder; SECONDS=60
	@scripts/fuzz.sh $(SECONDS)

demo: ## a table filling up and draining, in a network namespace of its own
	@scripts/deps.sh run demo
	@$(MAKE) --no-print-directory build
	@scripts/demo.sh $(BIN)

bench: ## measure against floors and peers (root, 25 minutes); ONLY=part ROUNDS=3 for less
	@scripts/deps.sh run bench
	@scripts/bench.sh

build: ## release binary: .build/release/conntrack-mon
	@scripts/deps.sh run
	swift build $(RELEASE) --product conntrack-mon

size: build ## is the release binary small, and does it start on glibc 2.35?
	@scripts/size.sh $(BIN)

format: ## rewrite the sources in the project's format
	@scripts/deps.sh lint
	@scripts/format.sh

golden: ## run the tests, writing Tests/Golden anew
	@scripts/deps.sh run test
	@UPDATE_GOLDEN=1 scripts/test.sh

# Release, since at -Onone the sanitizer misses races in Swift code.
tsan: ## the event ring and the sinks under ThreadSanitizer
	@scripts/deps.sh run test
	@FILTER='(EventRing|SinkThread)Tests' SWIFT_BACKTRACE=enable=no scripts/test.sh \
		-c release --sanitize=thread -Xswiftc -enable-testing --scratch-path .build-tsan

asan: ## the ring, the decoders and the fixed tables under AddressSanitizer
	@scripts/deps.sh run test
	@FILTER='^(CNetfilterTests\.|RingTests\.|EngineTests\.(HeavyHitters|Survey|TopTable)Tests)' SWIFT_BACKTRACE=enable=no \
		scripts/test.sh --sanitize=address --scratch-path .build-asan

clean: ## remove everything that was built
	rm -rf .build .build-*
