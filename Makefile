# `make` explains the targets. Variables are set on the command line: make deploy REGIONS="us-east-1 eu-west-1" ARCH=arm64.

# Where, and for which processor. ARCH is this machine's unless you say otherwise (also `ARCH=arm64 sam build`); arm64 is a fifth cheaper to run.
REGIONS ?= us-east-1
STACK   ?= offlimits
ARCH    ?= $(patsubst aarch64,arm64,$(shell uname -m))
# Of template.yaml's parameters, those you set: PARAMETERS="Email=you@example.com Phone=+14155550123". A stack remembers the others.
PARAMETERS ?=
# Tags for everything in the stack: TAGS="team=security cost-center=42".
TAGS ?=
# `make deploy` and `make test-alert` fail where nobody would hear of an alert or of an alarm; UNHEARD=allow lets them only say so.
UNHEARD ?=
# Where `make plain` writes the template; with REGIONAL=1, the function's code lies in a bucket of each region.
OUTPUT ?= target/offlimits.template.json
REGIONAL ?=
# The event for `make invoke`, and further options for `sam local invoke`.
EVENT ?= events/start-instances.json
SAM_LOCAL ?=
# How long each fuzz target runs, in seconds.
FUZZ_SECONDS ?= 60
# A function that is built already: a release's zip, or a bootstrap (`BOOTSTRAP=offlimits-function-arm64.zip sam build`). Without a compiler it
# is the one that was packaged last, and the tool an installed one.
BOOTSTRAP ?= $(if $(shell command -v cargo),,$(PACKAGE)/bootstrap)
OFFLIMITS ?= $(if $(BOOTSTRAP),offlimits,cargo run -q --)

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
export SAM_CLI_TELEMETRY := 0
export PIP_DISABLE_PIP_VERSION_CHECK := 1

BIN := .venv/test/bin
# Beside the credentials runs nothing but sam, and nothing of another content than deploy/requirements.txt has the hashes of.
DEPLOY := .venv/deploy/bin
SAM ?= $(DEPLOY)/sam
# It stays here, wherever cargo builds.
PACKAGE := target/package
# What `sam build` leaves: the function and its template, and the parameter that says what processor it is for.
SAM_BUILD := .aws-sam/build
ARCHITECTURE := .aws-sam/architecture.yaml
# Absolute, for those who start cargo elsewhere.
ifdef CARGO_TARGET_DIR
export override CARGO_TARGET_DIR := $(abspath $(CARGO_TARGET_DIR))
endif
TARGET := $(or $(CARGO_TARGET_DIR),target)
FUNCTION := --profile function --no-default-features --features lambda --bin bootstrap --locked
# The newest glibc that the function may ask for: Amazon Linux 2023's.
GLIBC := 34

# Plain cargo makes what runs here; for another system or processor, or on request (ZIG=1), Zig links it, against Amazon Linux's glibc.
ifeq ($(ZIG)$(shell uname -s)/$(patsubst aarch64,arm64,$(shell uname -m)),Linux/$(ARCH))
CARGO_BUILD := cargo build
BUILT := $(TARGET)/function/bootstrap
else
TRIPLE := $(patsubst arm64,aarch64,$(ARCH))-unknown-linux-gnu
CARGO_BUILD := rustup target add $(TRIPLE) && PATH="$(CURDIR)/.venv/zig/bin:$$PATH" cargo zigbuild --target $(TRIPLE).2.$(GLIBC)
BUILT := $(TARGET)/$(TRIPLE)/function/bootstrap
BUILDER := .venv/zig/.done
endif

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup browser check fmt lint deny test build package build-Function history plain instructions bench invoke deploy test-alert redrive dead-letters readdress drop fuzz rollback requirements

help: ## says what each target does
	@echo 'usage: make TARGET [VARIABLE=value]'
	@sed -nE 's/^([a-z-]+):.*## (.*)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 15
	@echo 'variables: REGIONS, STACK, ARCH, PARAMETERS, TAGS, UNHEARD, EVENT, SAM_LOCAL, QUEUES, INTO, ID, TO, OF, OUTPUT, REGIONAL, FUZZ_SECONDS; the Makefile begins with them.'

setup: .venv/test/.done .venv/ministack/.done .venv/node/.done .venv/browser/.done browser ## installs what the tests need into .venv

# An environment is made anew when its requirements change. They name everything, so that pip has nothing to resolve: it trips over extras there.
define ENVIRONMENT
python3 -m venv --clear $(@D)
$(@D)/bin/python -m pip install -q --require-hashes --no-deps -r $<
$(@D)/bin/python -m pip check
@touch $@
endef
.venv/deploy/.done: deploy/requirements.txt
	$(ENVIRONMENT)
.venv/%/.done: tests/requirements/%.txt
	$(ENVIRONMENT)

# The other ends of tests/contract that are written for Node: without npm, those tests are skipped.
.venv/node/.done: tests/requirements/node.txt
	@mkdir -p .venv/node
	@if command -v npm >/dev/null; then npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix .venv/node $$(cat $<); \
	else echo 'npm is not installed: the tests of the channels over HTTP are skipped'; fi
	@touch $@

# The report's tests need a browser; without one they are skipped. CI may install Debian's.
browser:
	@command -v chromium chromedriver >/dev/null || if [ -n "$${CI:-}" ] && command -v apt-get >/dev/null; then \
	  apt-get update -q && apt-get install -y -q --no-install-recommends chromium chromium-driver fonts-dejavu-core; \
	else echo 'chromium and chromium-driver are not installed: the tests of the HTML report are skipped'; fi

check: lint test instructions ## all that CI runs: lint, test, instructions

# What a macro declares as modules, and cargo fmt therefore does not see.
LINTS := --edition 2024 $(wildcard src/lint/*.rs)

fmt: ## formats all Rust
	cargo fmt
	rustfmt $(LINTS)

lint: deny ## formatting, clippy, licences, advisories
	cargo fmt --check
	rustfmt --check $(LINTS)
	cargo clippy --locked -- -D warnings
	cargo clippy --all-targets --all-features --locked -- -D warnings
	cargo clippy --manifest-path benches/Cargo.toml --locked -- -D warnings

# Building cargo-deny takes longer than all the rest; without it, tests/stack/test_dependencies.py asks for the same, but for the
# advisories. Those are a database on GitHub (RustSec's): a machine that cannot fetch it says so, and is no reason to fail.
deny:
	@if command -v cargo-deny >/dev/null; then \
	  cargo deny --all-features --locked check bans licenses sources && \
	  if cargo deny fetch db; then cargo deny --all-features --locked check --disable-fetch advisories; \
	  else echo 'the database of advisories cannot be fetched: the dependencies are not compared with it' >&2; fi; \
	else echo 'cargo-deny is not installed (cargo install --locked cargo-deny): licences are left to test_dependencies.py, advisories are not checked' >&2; fi

# What is not on every machine, tests do without: each says so in this list, which is shown at the end.
test: export OFFLIMITS_LEFT_OUT := $(abspath $(TARGET))/left-out.txt
# What proptest invents is the same in every run of CI: what it finds is found again. `cargo test` alone invents afresh.
test: export PROPTEST_RNG_SEED := $(or $(OFFLIMITS_SEED),7)
test: PYTEST := -B -m pytest -p no:cacheprovider -p left_out
test: setup build ## all tests: Rust's, the template's, and the function's in a local AWS; then says what they left out
	@rm -f $(OFFLIMITS_LEFT_OUT)
	cargo test --locked --all-features
	PYTHONPATH=tests/support $(BIN)/python $(PYTEST) tests/stack tests/s3
	PYTHONPATH=tests/support $(BIN)/python $(PYTEST) tests/contract
	PYTHONPATH=tests/support .venv/browser/bin/python $(PYTEST) tests/report
	@python3 -B tests/support/left_out.py

# What is packaged is checked, and its processor noted for `sam deploy`.
PACKAGING = $(OFFLIMITS) package --function $(1) --rules rules.json --output $(PACKAGE) --parameters $(ARCHITECTURE)

ifeq ($(BOOTSTRAP),)
build: $(BUILDER) ## checks rules.json, builds the function, and packages both
	$(OFFLIMITS) check rules.json
	$(CARGO_BUILD) $(FUNCTION)
	@newest=$$(grep -aoE 'GLIBC_2\.[0-9]+' $(BUILT) | sed 's/.*\.//' | sort -n | tail -1); \
	if (($${newest:-0} > $(GLIBC))); then \
	  echo "the bootstrap asks for glibc 2.$$newest, and Amazon Linux 2023 has 2.$(GLIBC): run make build ZIG=1" >&2; exit 1; fi
	$(call PACKAGING,$(BUILT)) --architecture $(ARCH)
else
build: package
endif

package: ## packages changed rules beside the function that is there: no compiler (OFFLIMITS=offlimits uses an installed tool)
	@test -f $(or $(BOOTSTRAP),$(PACKAGE)/bootstrap) || { echo 'there is no function yet, and cargo builds none: install Rust, or name a release (BOOTSTRAP=file.zip)' >&2; exit 1; }
	$(OFFLIMITS) check rules.json
	$(call PACKAGING,$(or $(BOOTSTRAP),$(PACKAGE)/bootstrap)) $(if $(filter command environment,$(origin ARCH)),--architecture $(ARCH))

# What `sam build` runs, in this folder.
build-Function: build
	@built=$$(sed -n 's/^Architecture: //p' $(ARCHITECTURE)); \
	for named in $$(sed -nE 's/^ *parameter_overrides.*Architecture=[^a-z]*(arm64|x86_64).*/\1/p' samconfig.toml); do \
	  test $$named = $$built || { echo "samconfig.toml deploys for $$named, and this function is built for $$built: run ARCH=$$named sam build," \
	    "or change Architecture in samconfig.toml" >&2; exit 1; }; done
	@mkdir -p $(ARTIFACTS_DIR) && cp $(PACKAGE)/* $(ARTIFACTS_DIR)

# The tool, built for speed, and what Lambda starts. OFFLIMITS_TOOL names one that is built already: a release's.
OFFLIMITS_TOOL ?=
history: $(if $(OFFLIMITS_TOOL),,$(BUILDER)) ## builds the tool as the functions of deploy/history.yaml run it, into target/history
ifeq ($(OFFLIMITS_TOOL),)
	$(CARGO_BUILD) --release --locked --features aws --bin offlimits
endif
	@mkdir -p target/history && cp $(or $(OFFLIMITS_TOOL),$(patsubst %/function/bootstrap,%/release/offlimits,$(BUILT))) target/history/offlimits
	@newest=$$(grep -aoE 'GLIBC_2\.[0-9]+' target/history/offlimits | sed 's/.*\.//' | sort -n | tail -1 || true); \
	if (($${newest:-0} > $(GLIBC))); then rm target/history/offlimits; \
	  echo "the tool asks for glibc 2.$$newest, and Amazon Linux 2023 has 2.$(GLIBC): run make history ZIG=1" >&2; exit 1; fi
	@cp deploy/history-bootstrap target/history/bootstrap

plain: .venv/deploy/.done ## writes the template as plain CloudFormation to OUTPUT, for Terraform and StackSets: nothing is uploaded
	@$(DEPLOY)/python -B deploy/plain.py $(if $(REGIONAL),--regional) $(OUTPUT)

instructions: ## counts the instructions of a fixed piece of work, and compares them with benches/instructions.json (valgrind)
	python3 -B benches/instructions.py

bench: setup build ## how fast: the benchmarks, then the function's cold start
	cargo run --release --locked --manifest-path benches/Cargo.toml -- --write docs/performance.md
	$(BIN)/python -B benches/cold_start.py

invoke: .venv/test/.done ## runs the function on EVENT, in Docker or without, and shows what it would send: no AWS account
	@$(BIN)/sam build >&2
	@$(BIN)/python -B tests/stack/invoke.py $(EVENT) $(SAM_LOCAL)

# A failure leaves the regions that follow as they are: what is wrong in one is not rolled out to all.
define EVERYWHERE
for region in $(REGIONS); do \
  echo "deploying $(STACK) to $$region"; \
  $(SAM) deploy --template-file $(KEPT)/now/template.yaml --config-file $(CURDIR)/samconfig.toml --stack-name $(STACK) --region $$region \
    --parameter-overrides Architecture=$$(cat $(KEPT)/now/architecture) $(PARAMETERS) $(if $(TAGS),--tags $(TAGS)); \
done
endef
# What is deployed, and what was before, for each stack.
KEPT := .deployed/$(STACK)
HEARD = $(DEPLOY)/python -B deploy/heard.py --stack $(STACK) --region $$region --rules $(1) $(if $(filter allow,$(UNHEARD)),--allow)

deploy: .venv/deploy/.done ## sam build, then sam deploy to every region of REGIONS, with the AWS credentials of the environment
	@$(SAM) build
	@python3 -B deploy/keep.py begin $(KEPT) $(SAM_BUILD) --architecture $$(sed -n 's/^Architecture: //p' $(ARCHITECTURE))
	@$(EVERYWHERE)
	@python3 -B deploy/keep.py done $(KEPT)
	@failed=0; for region in $(REGIONS); do $(call HEARD,$(PACKAGE)/rules.json) || failed=1; done; exit $$failed

rollback: .venv/deploy/.done ## deploys what `make deploy` on this machine had deployed before, to every region of REGIONS
	@python3 -B deploy/keep.py swap $(KEPT)
	@$(EVERYWHERE)
	@python3 -B deploy/keep.py done $(KEPT)

test-alert: .venv/deploy/.done ## sends one marked alert to every channel, in every region of REGIONS, and counts who is subscribed
	@failed=0; for region in $(REGIONS); do \
	  echo "$(STACK) in $$region:" >&2; \
	  $(SAM) remote invoke Function --stack-name $(STACK) --region $$region --event '{"offlimits":"test"}' \
	    | { cat; echo; } | tee /dev/stderr | grep -o '"verdict":"[^"]*"\|errorMessage' | { ! grep -qv '"delivered"'; } || failed=1; \
	  $(call HEARD,$(DEPLOYED_RULES)) || failed=1; \
	done; exit $$failed

redrive: .venv/deploy/.done ## sends what lies in the dead-letter queues through the function again: QUEUES="DeadLetters FailedEvents UndeliveredEvents"
	@for region in $(REGIONS); do \
	  echo "$(STACK) in $$region:"; \
	  $(DEPLOY)/python -B deploy/redrive.py --stack $(STACK) --region $$region $(if $(INTO),--into $(INTO)) $(QUEUES); \
	done

dead-letters: .venv/deploy/.done ## lists what lies in the dead-letter queues: age, channel, rule, reason (QUEUES as for redrive)
	@failed=0; for region in $(REGIONS); do \
	  echo "$(STACK) in $$region:"; \
	  $(DEPLOY)/python -B deploy/dead_letters.py --stack $(STACK) --region $$region list $(QUEUES) || failed=1; \
	done; exit $$failed

# The rules that are deployed, as far as this machine knows.
DEPLOYED_RULES = $(firstword $(wildcard $(KEPT)/now/Function/rules.json $(KEPT)/now/$(PACKAGE)/rules.json) $(PACKAGE)/rules.json)

readdress: .venv/deploy/.done ## sends dead letters to another channel: TO=channel, and ID="id ..." or OF=channel
	@failed=0; for region in $(REGIONS); do \
	  echo "$(STACK) in $$region:"; \
	  $(DEPLOY)/python -B deploy/dead_letters.py --stack $(STACK) --region $$region readdress --rules $(DEPLOYED_RULES) \
	    --to '$(TO)' $(if $(OF),--of '$(OF)') $(ID) || failed=1; \
	done; exit $$failed

drop: .venv/deploy/.done ## deletes dead letters, and prints what they held: ID="id ..."
	@failed=0; for region in $(REGIONS); do \
	  echo "$(STACK) in $$region:" >&2; \
	  $(DEPLOY)/python -B deploy/dead_letters.py --stack $(STACK) --region $$region drop $(ID) || failed=1; \
	done; exit $$failed

# A human writes *.in; *.txt has every package that these bring, of every system, with the hashes of its files.
requirements: ## writes deploy/requirements.txt and tests/requirements/*.txt anew from *.in (pip install uv)
	@for file in deploy/requirements tests/requirements/{test,ministack,zig,browser}; do \
	  uv pip compile --upgrade --universal --generate-hashes --python-version 3.11 --no-header -q $$file.in -o $$file.txt; \
	done

# Stable Rust lacks the fuzzer's flags; RUSTC_BOOTSTRAP lets it have them for this one purpose. Our code is safe Rust: no sanitizer has
# anything to find in it, and without one it runs twice as often. From the events on, and with long inputs from the start: the
# targets are too slow to grow into them.
fuzz: ## runs every target of fuzz/fuzz_targets for FUZZ_SECONDS each (cargo install --locked cargo-fuzz)
	@command -v cargo-fuzz >/dev/null || { echo 'cargo-fuzz is not installed: cargo install --locked cargo-fuzz' >&2; exit 1; }
	@for target in $(basename $(notdir $(wildcard fuzz/fuzz_targets/*.rs))); do \
	  words=fuzz/$$target.dict; test -f $$words && words=-dict=$$words || words=; \
	  mkdir -p fuzz/corpus/$$target; \
	  RUSTC_BOOTSTRAP=1 cargo fuzz run --sanitizer none $$target fuzz/corpus/$$target events -- \
	    -max_total_time=$(FUZZ_SECONDS) -len_control=0 -max_len=4096 $$words; \
	done
