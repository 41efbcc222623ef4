# What one does here. `make help` lists it.
SHELL := /bin/sh
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X main.version=$(VERSION)
GOLANGCI := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
# With the race detector on everything but SQLite itself, which is C translated
# to Go: watched, it takes most of the time of the tests.
RACE := CGO_ENABLED=1 go test -race -gcflags=modernc.org/sqlite/lib=-race=false -gcflags=modernc.org/libc=-race=false
export CGO_ENABLED ?= 0

.DEFAULT_GOAL := help
.PHONY: help run test check bench soak build console screenshots docs fuzz clean

help: ## List the commands.
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: build ## Build and start on 127.0.0.1:8080 with SQLite in ./data; prints how to sign in.
	bin/tenantry serve

build: console ## Build bin/tenantry, console included.
	go build -trimpath -ldflags '$(LDFLAGS)' -o bin/tenantry ./cmd/tenantry

BUILT := internal/console/dist/.vite/manifest.json
SOURCES := $(shell find web -name node_modules -prune -o -name schema.d.ts -prune -o -type f -print) internal/api/testdata/openapi.json internal/console/answers.de.json

console: ## Build the console from web/ into internal/console/dist, where there is Node.
	@if command -v npm >/dev/null 2>&1; then $(MAKE) --no-print-directory $(BUILT); \
	else echo "Node.js is not here: the binary will say how to get the console."; fi

$(BUILT): $(SOURCES)
	@./scripts/console.sh

screenshots: build ## Make pictures of every page of the console in ./screenshots.
	@./scripts/setup.sh
	TENANTRY_SCREENSHOTS=$(CURDIR)/screenshots go test -count=1 -timeout 20m -run 'TestEveryPage|TestTheStory|TestHostileBrands' ./internal/browser

test: ## Set up what the tests need, then run all of them on both engines with -race.
	@./scripts/setup.sh
	@$(MAKE) --no-print-directory $(BUILT)
	go vet ./...
	$(RACE) -timeout 40m ./...

check: ## Lint (golangci-lint; the first run builds it).
	go run $(GOLANGCI) run

bench: build ## Measure the real binary against its physical floor on both engines.
	@./scripts/setup.sh
	go run ./internal/bench -binary bin/tenantry

soak: ## The long runs: kill -9 loops and property tests at full length.
	@./scripts/setup.sh
	TENANTRY_TEST_SOAK=1 TENANTRY_TEST_KILLS=200 $(RACE) -timeout 6h ./...

docs: ## Write the OpenAPI document of the tests and the matrices in docs/ anew.
	go test ./internal/api -run 'OpenAPIGolden|MatrixDocs' -count 1 -update

fuzz: ## Fuzz each parser for a minute.
	@for t in $$(grep -rlE '^func Fuzz' --include=*_test.go . | xargs -n1 dirname | sort -u); do \
	  for f in $$(grep -hoE '^func Fuzz[A-Za-z]+' $$t/*_test.go | cut -d' ' -f2); do \
	    echo "$$t $$f"; go test $$t -run '^$$' -fuzz "^$$f\$$" -fuzztime 60s || exit 1; done; done

clean: ## Remove what was built.
	rm -rf bin screenshots internal/console/dist/assets internal/console/dist/.vite
