# Everything a newcomer needs: `make demo` shows it, `make test` proves it.
# `make help` lists the rest.
SHELL := /bin/bash
.DEFAULT_GOAL := help

export GOTOOLCHAIN := local
export CGO_ENABLED := 0

TOOLS        := $(CURDIR)/.tools
LINT         := $(TOOLS)/golangci-lint
LINT_VERSION := v2.15.0
VENV         := $(CURDIR)/.venv
# The packages whose tests take longest begin first.
LONG         := ./test/sdk ./test/maintain ./test/kill ./job ./cmd/attune ./bench
NODE         := $(CURDIR)/.node

.PHONY: help
help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

.PHONY: build
build: ## Build bin/attune
	go build -o bin/attune ./cmd/attune

.PHONY: demo
demo: build ## Build, then the guided tour on a synthetic shop; serves until Ctrl-C
	./bin/attune demo

.PHONY: test
test: ## All tests that need nothing but Go (and clients, where they are installed)
	go test -p $$(( $$(nproc) + 1 )) -timeout 30m $(LONG) ./... # one package more than processors: several mostly wait for clocks and disks

.PHONY: test-race
test-race: ## Race detector over everything concurrent (needs a C compiler)
	CGO_ENABLED=1 go test -race -timeout 40m -count=1 ./event ./profile ./serve ./job ./api/... ./access ./filter ./double ./resource ./notify/... ./maintain ./matrix ./index ./recipe/ials ./recipe/sequence

.PHONY: test-kill
test-kill: ## Fifty kills at random moments over import, training, deployment and events, and fifty over maintenance
	ATTUNE_KILLS=50 go test -count=1 -timeout 60m -v ./test/kill
	ATTUNE_KILLS=50 go test -count=1 -timeout 60m -v -run TestKill ./test/maintain

.PHONY: test-wide
test-wide: ## Kernels for AVX-512 and AMX, and a training with them, on a processor that Debian's Bochs emulates
	.ci/wide -test.short -test.v
	.ci/wide ./recipe/sequence -test.short -test.v -test.run 'Half|Newest'

.PHONY: test-engines
test-engines: ## Engines by URL: real NATS and PostgreSQL, thrown away afterwards
	.ci/engines

.PHONY: clients
clients: ## Install the clients that tests drive: boto3 and aws CLI v1 (.venv), JavaScript SDK (.node), aws CLI v2 (Debian)
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install -q -r test/sdk/requirements.txt
	@if ! command -v npm > /dev/null; then apt-get update -qq && apt-get install -y -qq --no-install-recommends nodejs npm; fi
	mkdir -p $(NODE) && cp test/sdk/package.json test/sdk/package-lock.json $(NODE)/ && npm ci --silent --no-audit --no-fund --prefix $(NODE)
	@if ! test -x /usr/bin/aws || ! command -v strace > /dev/null; then apt-get update -qq && apt-get install -y -qq --no-install-recommends awscli strace; fi

.PHONY: generate
generate: ## Write the generated code again
	go generate ./...

.PHONY: lint
lint: $(LINT) ## gofmt, go vet (here and for a processor without assembly), golangci-lint
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || (gofmt -l $$(git ls-files '*.go'); echo "run gofmt -w on these"; exit 1)
	go vet ./...
	GOARCH=arm64 go vet ./kernel ./matrix ./index # the tier in plain Go
	$(LINT) run --allow-serial-runners ./...

$(LINT):
	GOBIN=$(TOOLS) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VERSION)

.PHONY: bench
bench: ## The speed tables of bench/README.md, measured again
	go run ./bench

.PHONY: bench-quality
bench-quality: ## The quality tables of bench/RESULTS.md, measured again; DATA is the folder of public data sets
	go run ./bench/quality --data $(or $(DATA),../shared/data) --set all

.PHONY: clean
clean: ## Remove what was built
	rm -rf bin $(TOOLS) $(VENV) $(NODE)
