# The tasks of the project. `make help` lists them.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

GO ?= go
# Additional flags for `go test`, for example TESTFLAGS='-run TestGate -v'.
TESTFLAGS ?=
# The time for each fuzz target.
FUZZTIME ?= 10s
# The minimum statement coverage of a package, in percent.
MINCOVER ?= 85

# Variables of Caddyfile.example.
PORT ?= 8080
UPSTREAM_PORT ?= 8081
WEB_CLIENT_KEY ?= dev-client-key
export PORT UPSTREAM_PORT WEB_CLIENT_KEY

GOLANGCI_VERSION := v2.15.0
GOFUMPT_VERSION := v0.12.0
GOVULNCHECK_VERSION := v1.9.0
KUSTOMIZE_VERSION := v5.7.1
# Tools are built once for each version of Go, outside the tree.
TOOLS ?= $(shell dirname "$$($(GO) env GOCACHE)")/edgeauth-tools/$(shell $(GO) env GOVERSION)
GOLANGCI := $(TOOLS)/golangci-lint-$(GOLANGCI_VERSION)/golangci-lint
GOFUMPT := $(TOOLS)/gofumpt-$(GOFUMPT_VERSION)/gofumpt

# go.mod requires the oldest Caddy that works, so that a build with another plugin is
# free to choose. Binaries and images contain the newest one, of newest.mod.
NEWEST := -modfile=newest.mod
# The build tags of xcaddy.json. They leave out engines that Caddy does not use.
TAGS := nobadger,nomysql,nopgx
# The systems that binaries are built for, in addition to that of the tests.
SYSTEMS ?= windows darwin freebsd
# The platforms of a release, for example "linux/amd64 darwin/arm64"; empty selects all.
PLATFORMS ?=

# `./...` excludes directories that begin with a dot.
PACKAGES := ./... ./.ci/attacks ./.ci/cover ./.ci/jsonref ./.ci/prose ./.ci/testsum ./.ci/xcaddy
GOFILES = $(shell find . -name '*.go' -not -path './.git/*' -not -path './bin/*' -not -path './.ci/openapi/api/*')

# The text of `make run`, one line each.
TRY = '' \
	'  Open http://localhost:$(PORT)/ in a browser and sign in with any address: in development' \
	'  the page shows the link instead of a mail. The demo application greets you. Ctrl-C ends it.' '' \
	'  For programs there is an API:' \
	'     curl -s http://localhost:$(PORT)/v1/auth/by-link/link/ -d email=ann@example.com' \
	'     curl -s http://localhost:$(PORT)/v1/auth/by-link/login/ -d client_key=$(WEB_CLIENT_KEY) -d token=LINK' \
	'     curl -s http://localhost:$(PORT)/hello -H "Authorization: Token TOKEN"' \
	'  LINK is the last part of _debug_auth_link, TOKEN is in the answer to the second call.' ''

##@ Use

.PHONY: run
run: build ## Start Caddyfile.example in development mode
	@for variable in PORT UPSTREAM_PORT; do \
		if (: </dev/tcp/127.0.0.1/"$${!variable}") 2>/dev/null; then \
			echo "port $${!variable} is taken by another program; select one: make run $$variable=…" >&2; exit 1; \
		fi; \
	done
	@(until (: </dev/tcp/127.0.0.1/$(PORT)) 2>/dev/null; do kill -0 $$$$ 2>/dev/null || exit 0; sleep 0.1; done; \
	printf '%s\n' $(TRY)) & \
	EDGEAUTH_DB=data/edgeauth.db exec bin/edgeauth run --config Caddyfile.example --adapter caddyfile

.PHONY: build
build: ## Build bin/edgeauth: Caddy's standard modules and this one
	CGO_ENABLED=0 $(GO) build $(NEWEST) -trimpath -tags=$(TAGS) -o bin/edgeauth ./cmd/edgeauth

.PHONY: xcaddy
xcaddy: ## Build bin/caddy from xcaddy.json, with xcaddy
	@command -v xcaddy >/dev/null || { echo 'xcaddy is not installed: go install github.com/caddyserver/xcaddy/cmd/xcaddy@latest' >&2; exit 1; }
	$(GO) run ./.ci/xcaddy -output bin/caddy xcaddy.json

##@ Test

.PHONY: test
test: wasm ## Run every test that this machine can run
	$(GO) test -timeout=10m $(TESTFLAGS) $(PACKAGES)
	cd bench && $(GO) test -timeout=10m $(TESTFLAGS) ./...
	cd clients/go && $(GO) test -timeout=10m $(TESTFLAGS) ./...
	cd .ci/release && $(GO) test -timeout=10m $(TESTFLAGS) ./...
	@$(MAKE) --no-print-directory conformance wasm-test e2e

.PHONY: test-race
test-race: ## Run the tests of the module with the race detector (needs a C compiler)
	$(GO) test -race -timeout=15m $(TESTFLAGS) $(PACKAGES)

.PHONY: test-newest
test-newest: ## Run the tests that use Caddy with the newest one
	$(GO) test $(NEWEST) -timeout=15m $(TESTFLAGS) . ./caddymodule/... ./cmd/...

.PHONY: alerts
alerts: ## Test the alert rules of Prometheus (needs promtool)
	@if ! command -v promtool >/dev/null; then \
		echo 'alerts: SKIPPED: promtool is not installed' >&2; [ "$${CI:-}" != true ]; exit; \
	fi; \
	promtool check rules deploy/prometheus/alerts.yml && promtool test rules deploy/prometheus/alerts_test.yml

.PHONY: vet-systems
vet-systems: ## Check that product and tests compile for the other systems
	for system in $(SYSTEMS); do \
		echo "$$system"; export GOOS="$$system"; \
		$(GO) vet ./... && (cd e2e && $(GO) vet ./...) && (cd wasm/e2e && $(GO) vet ./...) || exit 1; \
	done

.PHONY: e2e
e2e: ## Test the built server with real parts; skips what needs a missing browser or Node.js
	cd e2e && $(GO) test -timeout=20m $(TESTFLAGS) ./...

.PHONY: edges
edges: wasm ## Run the module in Node, workerd, wrangler, Deno and Bun (needs Node 18 and npm)
	@if ! command -v node >/dev/null || ! command -v npm >/dev/null; then \
		echo 'edges: SKIPPED: node and npm are not installed' >&2; [ "$${CI:-}" != true ]; exit; \
	fi; \
	cd wasm/js && npm ci && npm run --silent types && npm test --silent

.PHONY: clients
clients: ## Test the client for browsers, its size, and the helpers for Node and Python (needs Node 18 and npm)
	@if ! command -v node >/dev/null || ! command -v npm >/dev/null; then \
		echo 'clients: SKIPPED: node and npm are not installed' >&2; [ "$${CI:-}" != true ]; exit; \
	fi; \
	cd clients/js && npm ci && npm run --silent build && npm run --silent size && npm test --silent
	cd clients/python && /usr/bin/python3 -B -m unittest

.PHONY: openapi
openapi: ## Check docs/openapi.yaml: lint, and clients in TypeScript and Go (needs Node 18 and npm)
	@if ! command -v node >/dev/null || ! command -v npm >/dev/null; then \
		echo 'openapi: SKIPPED: node and npm are not installed' >&2; [ "$${CI:-}" != true ]; exit; \
	fi; \
	cd .ci/openapi && export REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true && mkdir -p api && npm ci && \
	npx redocly lint --config redocly.yaml ../../docs/openapi.yaml && \
	npx openapi-typescript ../../docs/openapi.yaml -o api/api.ts && npx tsc -p . && \
	$(GO) tool oapi-codegen -generate types,client -package api ../../docs/openapi.yaml >api/api.gen.go && $(GO) vet ./...

.PHONY: site
site: build ## Build the documentation site in dist/site (needs mkdocs and mkdocs-material)
	@if ! command -v mkdocs >/dev/null; then \
		echo 'site: SKIPPED: mkdocs is not installed' >&2; [ "$${CI:-}" != true ]; exit; \
	fi; \
	mkdir -p dist && $(GO) run ./.ci/jsonref caddymodule >dist/reference-json.md && \
	/usr/bin/python3 .ci/site/build.py bin/edgeauth dist/reference-json.md

# The tests of faults that need no load, and what is printed of them.
FAULTTESTS = TestMigrateRefuses|TestMigrateBetweenEngines|TestDeleteUserInBatches|TestDoRefunds|TestHardeningDeferringDomain|TestClockWatch
RESULTS = sed -n '/^ *--- /p;/^ok/p;/^FAIL/p;/_test.go:/p'

.PHONY: faults
faults: ## Break PostgreSQL and Redis under two nodes, and print the effects
	cd e2e && FAULTS=full $(GO) test -timeout=30m -count=1 -run '^TestStoreFaults$$' -v $(TESTFLAGS) . | sed -n '/^--- \|^    --- \|^ok\|^FAIL\|^|\|NOT TESTED\|_test.go:/p'
	cd e2e && $(GO) test -timeout=10m -count=1 -run '^(TestDamagedFile|TestReloadWithDamagedFile)$$' -v $(TESTFLAGS) . | $(RESULTS)
	$(GO) test -timeout=10m -count=1 -run '^($(FAULTTESTS))$$' -v $(TESTFLAGS) ./caddymodule ./storage/kv ./mailer ./authcore/ratelimit | $(RESULTS)

# The items of each kind that `make capacity` writes to each engine.
CAPACITY_ITEMS ?= 100000

.PHONY: capacity
capacity: ## Measure the constants of docs/capacity.md, and write them (needs PostgreSQL and Redis)
	cd bench && $(GO) test -count=1 -timeout=2h -run '^TestConstants$$' -v ./internal/capacity -args -capacity.write -capacity.items $(CAPACITY_ITEMS)
	cd bench && $(GO) test -count=1 -run '^TestTable$$' ./internal/capacity -args -capacity.write

.PHONY: wasm-test
wasm-test: ## Run the WebAssembly module under its Go hosts, Traefik among them
	cd wasm/e2e && $(GO) test -timeout=20m $(TESTFLAGS) ./...
	cd wasm/traefik/e2e && $(GO) test -timeout=20m $(TESTFLAGS) ./...

# Packages that the tests of other packages cover, and these other packages.
SHARED := ./authcore,./authcore/account,./authcore/apikey,./authcore/factor,./authcore/login,./authcore/passkey,./authcore/realm,./authcore/session,./caddymodule/command,./storage/kv
USERS := ./adminapi ./authcore/account ./authcore/apikey ./authcore/factor ./authcore/httpapi ./authcore/login ./authcore/passkey ./authcore/realm ./authcore/session ./caddymodule ./caddymodule/command ./storage/bolt ./storage/memory

.PHONY: cover
cover: ## Run the tests and require MINCOVER of authcore, storage and caddymodule
	$(GO) test -timeout=15m -covermode=atomic -coverprofile=coverage.out $(TESTFLAGS) $(PACKAGES)
	@$(GO) test -timeout=10m -covermode=atomic -coverpkg=$(SHARED) -coverprofile=coverage-shared.out $(USERS) >coverage-shared.log || { cat coverage-shared.log; exit 1; }
	@sed 1d coverage-shared.out >>coverage.out
	$(GO) run ./.ci/cover -min $(MINCOVER) -of authcore,storage,caddymodule -without storage/storagetest,authcore/session/sessiontest coverage.out

.PHONY: fuzz
fuzz: ## Run each fuzz target for FUZZTIME
	@status=0; for module in . clients/go wasm/e2e; do \
		targets="$$(cd $$module && $(GO) test -list '^Fuzz' ./... \
		| awk '/^Fuzz/ { targets[n++] = $$1 } /^(ok|\?)/ { for (i = 0; i < n; i++) print $$2, targets[i]; n = 0 }')"; \
		while read -r package target; do \
			echo "$$package $$target"; \
			(cd $$module && $(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) "$$package") </dev/null || status=1; \
		done <<<"$$targets"; \
	done; exit $$status

# The folder with the vectors of Wycheproof; the first use downloads them.
VECTORS = cd conformance && $(GO) mod download && $(GO) list -m -f '{{.Dir}}' github.com/c2sp/wycheproof

.PHONY: conformance
conformance: ## Check the verifiers of tokens with the vectors of Wycheproof
	@if ! folder="$$($(VECTORS))"; then \
		echo 'conformance: SKIPPED: the vectors cannot be downloaded' >&2; [ "$${CI:-}" != true ]; exit; \
	fi; \
	WYCHEPROOF="$$folder" $(GO) test -count=1 -run '^TestHardeningWycheproof$$' $(TESTFLAGS) ./authcore/gate

# The tests in which an OpenID provider or its answers are hostile or faulty.
OPENIDTESTS = TestSocialRefusals|TestForgedAnswers|TestOpenIDKinds|TestOIDCProvider|TestAppTokens|TestIDTokens|TestAppleIDTokens|TestBridge

.PHONY: openid
openid: ## Run the tests of hostile and faulty OpenID providers
	$(GO) test -count=1 $(TESTFLAGS) ./authcore/provider
	cd e2e && $(GO) test -count=1 -timeout=20m -run '^($(OPENIDTESTS))$$' $(TESTFLAGS) .

# The number of random requests of `make random-api`, and the duration of `make soak`.
REQUESTS ?= 50000
SOAK ?= 1h

.PHONY: random-api
random-api: ## Send REQUESTS random requests to the API, with a new seed
	cd e2e && REQUESTS=$(REQUESTS) $(GO) test -count=1 -timeout=2h -run '^TestDescription$$' -v $(TESTFLAGS) .

.PHONY: soak
soak: ## Keep a server under load for SOAK; memory, goroutines and descriptors must stay flat
	cd e2e && SOAK=$(SOAK) $(GO) test -count=1 -timeout=0 -run '^TestSoak$$' -v $(TESTFLAGS) .

.PHONY: bench
bench: wasm ## Measure: each step, then the built server next to a plain reverse_proxy (Linux)
	$(GO) test -run '^$$' -bench . -benchmem $(TESTFLAGS) ./...
	@if command -v npm >/dev/null; then cd wasm/js && npm ci --silent; fi
	cd wasm/e2e && $(GO) test -run '^$$' -bench . -benchmem $(TESTFLAGS) .
	cd bench && $(GO) run . -write ../docs/performance-appendix.md

# The build time of the module in seconds since 1970; it refuses to run on an earlier
# clock. It is the time of the commit, so that a commit always gives the same file.
BUILT ?= $(or $(SOURCE_DATE_EPOCH),$(shell git -c safe.directory='*' log -1 --format=%ct 2>/dev/null || date +%s))
# The maximum size of the module in bytes, as it is and compressed.
WASM_MAX := 6250000
WASM_MAX_GZIP := 1750000
# The place of a plugin, below the working directory of Traefik.
WASM_PLUGIN := dist/traefik/plugins-local/src/github.com/edgeauth/edgeauth

.PHONY: wasm
wasm: ## Build dist/edgeauth-gate.wasm, the plugin for Traefik and the Worker, and the core for wasip1 and js
	GOOS=wasip1 GOARCH=wasm $(GO) build ./authcore/...
	GOOS=js GOARCH=wasm $(GO) build ./authcore/...
	@mkdir -p dist
	GOOS=wasip1 GOARCH=wasm $(GO) build -buildmode=c-shared -trimpath -buildvcs=false -ldflags '-s -w -X main.built=$(BUILT)' \
		-o dist/edgeauth-gate.wasm ./wasm/guest
	@size="$$(wc -c <dist/edgeauth-gate.wasm)" packed="$$(gzip -9 -c dist/edgeauth-gate.wasm | wc -c)"; \
	echo "dist/edgeauth-gate.wasm: $$size bytes, $$packed compressed"; \
	if [ "$$size" -gt $(WASM_MAX) ] || [ "$$packed" -gt $(WASM_MAX_GZIP) ]; then echo 'more than $(WASM_MAX) or $(WASM_MAX_GZIP) compressed' >&2; exit 1; fi
	@mkdir -p $(WASM_PLUGIN) && cp dist/edgeauth-gate.wasm wasm/traefik/.traefik.yml $(WASM_PLUGIN) && cp wasm/traefik/*.yml dist/traefik
	@mkdir -p dist/worker && cp dist/edgeauth-gate.wasm wasm/js/*.mjs wasm/js/examples/worker.mjs wasm/js/examples/wrangler.jsonc dist/worker
	@cd dist && find * -type f ! -name SHA256SUMS | LC_ALL=C sort | xargs sha256sum >SHA256SUMS

# The program that builds a release, with its flags.
RELEASE = bin/release $(if $(strip $(PLATFORMS)),-platforms "$(PLATFORMS)") $(if $(shell command -v npm),,-without-npm)

.PHONY: bin/release
bin/release:
	$(GO) build -C .ci/release -o "$(CURDIR)/bin/release" .
	@if ! command -v npm >/dev/null; then \
		echo 'npm packages: SKIPPED: npm is not installed' >&2; [ "$${CI:-}" != true ]; \
	fi

.PHONY: release
release: bin/release ## Build what a release contains, in dist/release (PLATFORMS selects platforms)
	$(RELEASE)

.PHONY: release-dry-run
release-dry-run: bin/release ## Build a release twice, compare the bytes and verify the files
	$(RELEASE) -check

.PHONY: walk
walk: ## Install, use, upgrade and remove the Debian package in a clean Debian (needs root and debootstrap)
	@if [ "$$(uname -s)" != Linux ] || [ "$$(id -u)" != 0 ]; then \
		echo 'walk: SKIPPED: it needs root on Linux, for chroot' >&2; exit; \
	fi; \
	if ! command -v debootstrap >/dev/null; then \
		echo 'walk: SKIPPED: debootstrap is not installed' >&2; [ "$${CI:-}" != true ]; exit; \
	fi; \
	$(GO) build -C .ci/release -o "$(CURDIR)/bin/release" . && \
	for build in 1 2; do \
		bin/release -platforms "linux/$$($(GO) env GOARCH)" -without-npm -without-wasm -version "v0.0.0-dev.$$build" -out "dist/walk/$$build" || exit 1; \
	done && \
	cd e2e && WALK_OLDER="$$(echo ../dist/walk/1/*.deb)" WALK_NEWER="$$(echo ../dist/walk/2/*.deb)" \
		$(GO) test -timeout=20m -count=1 -run '^TestWalk$$' -v $(TESTFLAGS) .

.PHONY: kubernetes
kubernetes: ## Build the example for Kubernetes with kustomize and check it
	GOBIN="$(TOOLS)/kustomize-$(KUSTOMIZE_VERSION)" $(GO) install sigs.k8s.io/kustomize/kustomize/v5@$(KUSTOMIZE_VERSION)
	cd e2e && PATH="$(TOOLS)/kustomize-$(KUSTOMIZE_VERSION):$$PATH" $(GO) test -timeout=10m -run '^TestKubernetes$$' $(TESTFLAGS) .

##@ Maintain

.PHONY: lint
lint: $(GOLANGCI) $(GOFUMPT) ## Check format, wording, module files and known faults
	@unformatted="$$($(GOFUMPT) -l $(GOFILES))"; \
	if [ -n "$$unformatted" ]; then printf 'not formatted (make fmt):\n%s\n' "$$unformatted" >&2; exit 1; fi
	$(GO) run ./.ci/prose
	$(GO) run ./.ci/attacks -check
	$(GO) vet $(PACKAGES)
	cd e2e && $(GO) vet ./...
	cd bench && $(GO) vet ./...
	cd clients/go && $(GO) vet ./...
	cd wasm/e2e && $(GO) vet ./...
	cd wasm/traefik/e2e && $(GO) vet ./...
	cd .ci/release && $(GO) vet ./...
	GOOS=wasip1 GOARCH=wasm $(GO) vet ./wasm/guest
	$(GO) mod verify
	$(GO) mod tidy -diff
	$(GO) mod tidy $(NEWEST) -diff # `make newest` corrects it
	cd e2e && $(GO) mod tidy -diff
	cd bench && $(GO) mod tidy -diff
	cd conformance && $(GO) mod tidy -diff
	cd clients/go && $(GO) mod tidy -diff
	cd wasm/e2e && $(GO) mod tidy -diff
	cd wasm/traefik/e2e && $(GO) mod tidy -diff
	cd .ci/release && $(GO) mod tidy -diff
	$(GOLANGCI) run --allow-parallel-runners $(PACKAGES)
	cd e2e && $(GOLANGCI) run --allow-parallel-runners --config ../.golangci.yml ./...
	cd bench && $(GOLANGCI) run --allow-parallel-runners --config ../.golangci.yml ./...
	cd clients/go && $(GOLANGCI) run --allow-parallel-runners --config ../../.golangci.yml ./...
	cd wasm/e2e && $(GOLANGCI) run --allow-parallel-runners --config ../../.golangci.yml ./...
	cd wasm/traefik/e2e && $(GOLANGCI) run --allow-parallel-runners --config ../../../.golangci.yml ./...
	cd .ci/release && $(GOLANGCI) run --allow-parallel-runners --config ../../.golangci.yml ./...
	GOOS=wasip1 GOARCH=wasm $(GOLANGCI) run --allow-parallel-runners --disable unused ./wasm/guest # the linter does not know exports

.PHONY: vulnerabilities
vulnerabilities: ## Look for known vulnerabilities in what the binaries contain (needs the network)
	GOFLAGS="$${GOFLAGS:-} $(NEWEST)" $(GO) run golang.org/x/vuln/cmd/govulncheck@$(GOVULNCHECK_VERSION) ./...

.PHONY: newest
newest: ## Write newest.mod: go.mod with the newest Caddy
	@version="$$(sed -n 's/.*"caddy_version": "\(.*\)".*/\1/p' xcaddy.json)"; \
	cp go.mod newest.mod; cp go.sum newest.sum; \
	$(GO) get $(NEWEST) "github.com/caddyserver/caddy/v2@$$version" && $(GO) mod tidy $(NEWEST)

.PHONY: fmt
fmt: $(GOFUMPT) ## Format the Go files
	$(GOFUMPT) -w $(GOFILES)

.PHONY: clean
clean: ## Remove build results
	rm -rf bin dist coverage.out

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^##@/ { printf "\n%s\n", substr($$0, 5) } /^[a-z0-9-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' Makefile

$(GOLANGCI):
	GOBIN="$(@D)" $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)

$(GOFUMPT):
	GOBIN="$(@D)" $(GO) install mvdan.cc/gofumpt@$(GOFUMPT_VERSION)
