# Fairseat. `make run` starts everything on this machine and sells two seats;
# `make test` runs every test.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PORT ?= $(or $(FAIRSEAT_PORT),3000)
STORE ?= $(or $(FAIRSEAT_STORE),dynamodb-local)
DATA := $(FAIRSEAT_DATA)
KEY := local-dev-key-0123456789

FUNCTIONS := $(notdir $(wildcard functions/*))

# A function: static, stripped, without the net/rpc of Lambda's old runtime and
# without HTTP/2, which none of the services that it calls speaks. Inlining is off
# in code that only waits for the network, which is a third of a megabyte.
LEAN := -trimpath -tags lambda.norpc,nethttpomithttp2 -ldflags='-s -w' \
  -gcflags='github.com/aws/...=-l' -gcflags='net/http=-l' -gcflags='crypto/...=-l'

# What the stack of `make run` and `make seed-all` has in common.
SECRET := local-sandbox-secret-0123456789abcdef
STACK = .build/bin/localstack --template template.yaml --port $(PORT) --store $(STORE) \
  $(if $(DATA),--data '$(DATA)') \
  --param DeveloperKey=$(KEY) --param PublicUrl=http://127.0.0.1:$(PORT)/v1 \
  --param 'SandboxUrl=http://127.0.0.1:{port:sandbox}' --param SandboxSecret=$(SECRET) \
  --param-env HoldSeconds=FAIRSEAT_HOLD_SECONDS --param-env GraceSeconds=FAIRSEAT_GRACE_SECONDS \
  --param-env MaxSeats=FAIRSEAT_MAX_SEATS \
  --companion 'sandbox=.build/bin/sandbox -addr 127.0.0.1:{listen:sandbox} $(if $(DATA),-data $(DATA)/sandbox.jsonl)'
ENV := env -u AWS_CA_BUNDLE FAIRSEAT_SANDBOX_SECRET=$(SECRET) FAIRSEAT_DEVELOPER_KEY=$(KEY)

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

.PHONY: run
run: build ## start everything, sell two seats, then serve until Ctrl-C
	$(ENV) $(STACK) --after 'sh -c "CATALOG_TABLE=$$TABLE_Catalog exec .build/bin/seed"' --after '.build/bin/demo'

.PHONY: seed-all
seed-all: build ## the same with all 500 cities for a week, without the sale
	$(ENV) $(STACK) --after 'sh -c "CATALOG_TABLE=$$TABLE_Catalog exec .build/bin/seed --all"'

.PHONY: build
build: ## build the functions and the local tools into .build/
	@mkdir -p .build/bin
	@CGO_ENABLED=0 go build $(LEAN) -o .build/bin/ ./functions/...
	@go build -o .build/bin/ ./localstack ./localstack/sandbox ./localstack/demo ./infra/seed
	@for f in $(FUNCTIONS); do mkdir -p .build/functions/$$f; ln -f .build/bin/$$f .build/functions/$$f/bootstrap; done
