# Millrace: every command of a developer's day. `make help` lists them.
#
# `make demo` and `make test` stand on their own: on a machine that has only the Swift toolchain they first install what
# is missing (Debian packages; Python packages into .venv/, which only the tests and benchmarks use).

BINARY   := .build/release/millrace
PYTHON   := .venv/bin/python
# Touched when .venv/ holds everything that its requirements name.
VENV     := .venv/ready
# The Swift runtime linked in, identical code folded, relocations packed (which glibc 2.36 or later can read), no symbols: 24 MB
# instead of 65. `make release STRIP=` keeps the symbols, for a profiler. That accesses of variables don't overlap is checked at
# run time in debug builds, and so by every test; in release it would cost a quarter of a one-event request.
STRIP    ?= -Xlinker -s
RELEASE  := -c release --static-swift-stdlib -Xswiftc -enforce-exclusivity=unchecked -Xswiftc -use-ld=lld -Xlinker --icf=all -Xlinker --no-export-dynamic -Xlinker -z -Xlinker pack-relative-relocs $(STRIP)
SOURCES  := Package.swift Sources clients/swift Tests benchmarks examples

# Events of the benchmark's workloads: `make bench N=10000000` takes longer and is steadier.
N        ?= 4000000
# Further arguments of the benchmark's script: `make bench BENCH="--peers --redis"`.
BENCH    ?=

# Arguments of the reloads: `make reloads RELOADS="--cores 1 --reloads 20"`.
RELOADS  ?=

# Random cases of `make soak`, and the first one's seed; SIGKILLs of `make soak-crashes`.
CASES    ?= 1000000
CRASHES  ?= 1000
SEED     ?= 0

# Further arguments of the soak: `make soak SOAK=--images` takes an image in the midst of each case and goes on from it.
SOAK     ?=

.PHONY: help demo test test-swift test-python soak soak-crashes soak-faults simulate reloads build release bench bench-engine bench-open-loop bench-trades bench-durability bench-report connections format lint prerequisites clean

help: ## list the commands
	@grep -E '^[a-z-]+:.*## ' Makefile | awk -F ':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

demo: release ## start a server on sample payments and watch the vectors appear
	@swift build $(RELEASE) --product millrace-demo
	@examples/payments/demo $(BINARY) .build/release/millrace-demo

test: test-swift test-python ## run every test: Swift's, then pytest over the real binary

# One test at a time: those that work through a million damaged frames would hold the few threads that servers' clients need.
test-swift: prerequisites $(VENV)
	swift test --no-parallel

test-python: release $(VENV)
	swift build $(RELEASE) --product millrace-bench
	swift build $(RELEASE) --product millrace-connections
	swift build $(RELEASE) --product millrace-crashes
	$(PYTHON) -m pytest Tests/EndToEnd

# A seed that fails is run alone by SEED=n CASES=1.
soak: release $(VENV) ## a million random cases against a plain evaluator, 2,000 against DuckDB, 1,000 SIGKILLs, 100 failed syncs
	swift build $(RELEASE) --product millrace-soak
	.build/release/millrace-soak --seed $(SEED) --cases $(CASES) $(SOAK)
	@if [ $(CASES) -gt 1 ]; then \
		MILLRACE_CASES=2000 $(PYTHON) -m pytest -q Tests/EndToEnd/test_against_duckdb.py && $(MAKE) soak-crashes soak-faults; fi

soak-crashes: release ## a server killed 1,000 times under load: nothing acknowledged lost or counted twice (SEED=n CRASHES=n)
	swift build $(RELEASE) --product millrace-crashes
	.build/release/millrace-crashes --seed $(SEED) --crashes $(CRASHES)

soak-faults: release $(VENV) ## a sync that fails at 100 different calls
	MILLRACE_FAULTS=1 $(PYTHON) -m pytest -q Tests/EndToEnd/test_faults_disk.py

# Runs of `make simulate`, from seed SEED on.
RUNS     ?= 100000

# A seed that fails is run alone by SEED=n RUNS=1.
simulate: prerequisites ## 100,000 runs of the server on a simulated clock, network and disk (SEED=n RUNS=n)
	swift build $(RELEASE) --product millrace-simulate
	.build/release/millrace-simulate --seed $(SEED) --runs $(RUNS)

reloads: release $(VENV) ## 200 changes of definitions and 1,000 wrong ones under load, every row checked (RELOADS=arguments)
	$(PYTHON) benchmarks/Reloads/run.py $(RELOADS)

build: prerequisites ## debug build of everything
	swift build

release: prerequisites ## the static release binaries, .build/release/millrace and millrace-load
	swift build $(RELEASE) --product millrace
	swift build $(RELEASE) --product millrace-load

bench: release $(VENV) ## hand-written C, our engine, our server, and the ratios (N=events, BENCH=arguments)
	swift build $(RELEASE) --product millrace-bench
	$(PYTHON) benchmarks/run.py --events $(N) $(BENCH)

bench-engine: release $(VENV) ## the engine alone: every window function, one more feature, memory (BENCH=--quick to try it)
	swift build $(RELEASE) --product millrace-bench
	$(PYTHON) benchmarks/engine.py $(BENCH)

connections: release $(VENV) ## 10,000 connections, 1,000 of them active for 5 minutes: every reply checked, memory flat (BENCH=arguments)
	swift build $(RELEASE) --product millrace-connections
	$(PYTHON) benchmarks/connections.py $(BENCH)

bench-open-loop: release $(VENV) ## latency at 50 % and 80 % of what the server takes (BENCH=arguments)
	$(PYTHON) benchmarks/open_loop.py $(BENCH)

bench-trades: release $(VENV) ## trades joined with instruments, against a ring buffer between two threads in Rust (BENCH=arguments)
	swift build $(RELEASE) --product millrace-bench
	$(PYTHON) benchmarks/trades.py $(BENCH)

bench-durability: release $(VENV) ## durability modes against the disk's own syncs, snapshots, replay, start with 10 million keys (BENCH=arguments)
	swift build $(RELEASE) --product millrace-bench
	$(PYTHON) benchmarks/durability.py $(BENCH)

bench-report: $(VENV) ## write docs/performance.md's tables and plot from the newest results
	$(PYTHON) benchmarks/report.py

format: ## rewrite the Swift sources in the house format
	swift format --in-place --parallel --recursive $(SOURCES)

lint: ## fail where `make format` would change something or a format rule is broken
	swift format lint --strict --parallel --recursive $(SOURCES)

prerequisites:
	@scripts/prerequisites build

$(VENV): Tests/EndToEnd/requirements.txt clients/python/pyproject.toml
	@scripts/prerequisites python
	@scripts/virtual-environment

clean: ## remove everything that was built
	rm -rf .build .venv benchmarks/build
