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
# in code that only waits for the network or seldom runs, which is 0.4 megabytes.
WAITS := github.com/aws net crypto vendor mime compress log
SELDOM := math/big encoding/asn1 os
LEAN := -trimpath -tags lambda.norpc,nethttpomithttp2 -ldflags='-s -w' \
  $(WAITS:%=-gcflags='%/...=-l') $(SELDOM:%=-gcflags='%=-l')

# What most requests run has all inlining, for a tenth less of their time.
WHOLE := -trimpath -tags lambda.norpc,nethttpomithttp2 -ldflags='-s -w'
READS := authorize-key browse-catalog read-seatmap

# Flags for the loader, e.g. SEED='--cities 3 --single-gap shanghai-cn-02'.
SEED ?=

# What the stack of `make run` and `make seed-all` has in common.
# Payment providers are played by the sandbox, which makes their keys at first.
BANKS := $(or $(DATA),.build)/banks
SECRET := local-sandbox-secret-0123456789abcdef
STACK = .build/bin/localstack --template template.yaml --port $(PORT) --store $(STORE) \
  $(if $(DATA),--data '$(DATA)') \
  --param-env DeveloperKey=FAIRSEAT_DEVELOPER_KEY --param PublicUrl=http://127.0.0.1:$(PORT)/v1 \
  --param 'SandboxUrl=http://127.0.0.1:{port:sandbox}' --param-env SandboxSecret=FAIRSEAT_SANDBOX_SECRET \
  --param 'AlipayUrl=http://127.0.0.1:{port:sandbox}/alipay/gateway.do' --param-env AlipayKeys=FAIRSEAT_ALIPAY_KEYS \
  --param AlipayAppId=2021000000000001 --param AlipaySellerId=2088000000000001 \
  --param 'UnionPayUrl=http://127.0.0.1:{port:sandbox}/unionpay' --param UnionPayMerchant=777290058110048 \
  --param-env UnionPayKeys=FAIRSEAT_UNIONPAY_KEYS --param-env UnionPayAuthorities=FAIRSEAT_UNIONPAY_AUTHORITIES \
  --param 'WechatUrl=http://127.0.0.1:{port:sandbox}/wechat' --param-env WechatKeys=FAIRSEAT_WECHAT_KEYS \
  --param WechatMerchantId=1900000001 --param WechatAppId=wx0000000000000001 \
  --param-env HoldSeconds=FAIRSEAT_HOLD_SECONDS --param-env GraceSeconds=FAIRSEAT_GRACE_SECONDS \
  --param-env MaxSeats=FAIRSEAT_MAX_SEATS --param-env OfferSeconds=FAIRSEAT_OFFER_SECONDS \
  --param-env WaitSeconds=FAIRSEAT_WAIT_SECONDS --param-env CooldownSeconds=FAIRSEAT_COOLDOWN_SECONDS \
  --param FreeDrops=$(or $(FAIRSEAT_FREE_DROPS),0) \
  --param-env LineClosesSeconds=FAIRSEAT_LINE_CLOSES_SECONDS --param Attempts=999999 \
  --param SmtpHost=127.0.0.1 --param 'SmtpPort={port:smtp}' --param SmtpSecurity=none --param MailFrom=no-reply@fairseat.example \
  --companion 'mailbox=.build/bin/mailbox -smtp 127.0.0.1:{listen:smtp} -http 127.0.0.1:{listen:mailbox} $(if $(DATA),-data $(DATA)/mailbox)' \
  --companion 'sandbox=.build/bin/sandbox -addr 127.0.0.1:{listen:sandbox} -keys $(BANKS) $(if $(DATA),-data $(DATA)/sandbox.jsonl)'
ENV := env -u AWS_CA_BUNDLE FAIRSEAT_SANDBOX_SECRET=$(SECRET) FAIRSEAT_DEVELOPER_KEY=$(KEY) \
  FAIRSEAT_ALIPAY_KEYS="$$(.build/bin/sandbox -keys $(BANKS) -show alipay)" \
  FAIRSEAT_UNIONPAY_KEYS="$$(.build/bin/sandbox -keys $(BANKS) -show unionpay.ours)" \
  FAIRSEAT_UNIONPAY_AUTHORITIES="$$(.build/bin/sandbox -keys $(BANKS) -show unionpay.authorities)" \
  FAIRSEAT_WECHAT_KEYS="$$(.build/bin/sandbox -keys $(BANKS) -show wechat)"

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

.PHONY: run
run: build ## start everything, sell two seats, then serve until Ctrl-C
	@$(ENV) $(STACK) --before 'sh -c "CATALOG_TABLE=$$TABLE_Catalog exec .build/bin/seed $(SEED)"' --after '.build/bin/demo'

.PHONY: seed-all
seed-all: build ## the same with all 500 cities for a week, without the sale
	@$(ENV) $(STACK) --before 'sh -c "CATALOG_TABLE=$$TABLE_Catalog exec .build/bin/seed --all $(SEED)"'

.PHONY: build
build: ## build the functions and the local tools into .build/
	@mkdir -p .build/bin
	@CGO_ENABLED=0 go build $(LEAN) -o .build/bin/ ./functions/...
	@CGO_ENABLED=0 go build $(WHOLE) -o .build/bin/ $(READS:%=./functions/%)
	@go build -o .build/bin/ ./localstack ./localstack/sandbox ./localstack/mailbox ./localstack/demo ./infra/seed
	@for f in $(FUNCTIONS); do mkdir -p .build/functions/$$f; ln -f .build/bin/$$f .build/functions/$$f/bootstrap; done

TOOL := go tool -modfile=infra/tools/go.mod

.PHONY: test
test: prepare build lint ## every test, with the race detector
	@env -u AWS_CA_BUNDLE CGO_ENABLED=1 go test -race -timeout 15m ./...

.PHONY: test-dynoxide
test-dynoxide: ## the local cloud's tests on Dynoxide too; needs cargo with Rust 1.85 or later
	@env -u AWS_CA_BUNDLE go test -tags dynoxide ./localstack/emulators ./localstack/provision ./localstack/cloud

.PHONY: prepare
prepare: ## install what the tests need and this machine lacks
	@command -v cc >/dev/null || if [ "$$(id -u)" = 0 ]; then echo 'installing gcc for the race detector'; \
	  apt-get update -qq && apt-get install -y -qq gcc libc6-dev >/dev/null; \
	  else echo 'the race detector needs a C compiler: sudo apt-get install gcc libc6-dev' >&2; exit 1; fi

.PHONY: lint
lint: ## gofmt, vet, staticcheck
	@out=$$(gofmt -l $$(git ls-files -co --exclude-standard '*.go')); [ -z "$$out" ] || { echo "not gofmt-ed: $$out"; exit 1; }
	@go vet ./...
	@$(TOOL) staticcheck ./...

.PHONY: vuln
vuln: ## known vulnerabilities in what the functions use
	@$(TOOL) govulncheck ./...

.PHONY: validate
validate: .tools/sam/bin/sam ## check template.yaml with the SAM CLI and cfn-lint, installed into .tools/
	@SAM_CLI_TELEMETRY=0 .tools/sam/bin/sam validate --lint -t template.yaml --region eu-west-1
	@.tools/sam/bin/cfn-lint -t template.yaml infra/deploy/account.yaml infra/deploy/edge.yaml -r eu-west-1

# Proofs, each a command: infra/proof. SEED repeats a schedule, except in `make run`,
# where it is the loader's flags.
SEEDS ?= 2000
FROM ?= 1

.PHONY: sim
sim: ## simulate 2,000 seeds against the invariants; SEEDS=, FROM=, or SEED=n for a story
	@mkdir -p .build/bin
	@go build -o .build/bin/sim ./infra/proof/sim
	@.build/bin/sim $(if $(SEED),-seed $(SEED),-seeds $(SEEDS) -from $(FROM))

.PHONY: sim-plants
sim-plants: ## plant defects in a copy of the code, each to be found by the simulation
	@go run ./infra/proof/sim/plants

.PHONY: explore
explore: ## explore every interleaving of small shows; FULL=1 all of them, MUTANTS=1 the planted bugs
	@go run ./infra/proof/explore $(if $(MUTANTS),-mutants) $(if $(FULL),-full)

.PHONY: mutants
mutants: ## plant defects one by one; a test named for each must catch it (MUTANTS='-run T3' for some)
	@env -u AWS_CA_BUNDLE go run ./infra/proof/mutants $(MUTANTS)

.PHONY: linearizability
linearizability: build ## judge concurrent histories of seats and lines under kills; OPS=1000000 SEED=… PLANT=all
	@env -u AWS_CA_BUNDLE go run ./infra/proof/history $(if $(OPS),-ops $(OPS)) $(if $(SEED),-seed $(SEED)) $(if $(PLANT),-plant $(PLANT))

# CONTEST=1 has 200 clients go for the same 10 seats, ROUNDS times (1000).
.PHONY: kill
kill: build ## kill functions and the whole cloud during purchases, also through lines, and reckon; KILLS=2000 SEED=… PLANT=all CONTEST=1
	@env -u AWS_CA_BUNDLE go run ./infra/proof/kill $(if $(CONTEST),-contest $(or $(ROUNDS),1000)) $(if $(KILLS),-kills $(KILLS)) $(if $(SEED),-seed $(SEED)) $(if $(PLANT),-plant $(PLANT))

# CI has a short run; FUZZ='-requests 2000 -seed 7' is one.
.PHONY: fuzz-api
fuzz-api: build .tools/schemathesis/bin/schemathesis ## 50,000 requests made up from the OpenAPI document; FUZZ='-requests 2000'
	@env -u AWS_CA_BUNDLE go run ./infra/proof/fuzz $(FUZZ)

.tools/schemathesis/bin/schemathesis:
	@python3 -m venv .tools/schemathesis && .tools/schemathesis/bin/pip install -q schemathesis==4.32.5

.PHONY: overtake
overtake: ## whom other rules of waiting let pass whom, beside ours, under the same schedules
	@go test -count=1 -v ./infra/proof/overtake

.PHONY: bots
bots: ## a sale that opens to 100 people and 1,000 sessions of programs, with and without each defence; SEED=n, BOTS='-seeds 10 -contacts 20'
	@go run ./infra/proof/bots $(if $(SEED),-seed $(SEED)) $(BOTS)

.PHONY: soak
soak: ## a simulated month with 1,000 shows: daily sums and books, rows and memory stay flat; SEED=n, SOAK='-days 3'
	@mkdir -p .build/bin
	@go build -o .build/bin/soak ./infra/proof/soak
	@.build/bin/soak $(if $(SEED),-seed $(SEED)) $(SOAK)

.PHONY: flat
flat: build ## 100,000 invocations: memory, threads, connections, goroutines stay flat
	@go build -o .build/bin/flat ./infra/proof/flat
	@env -u AWS_CA_BUNDLE .build/bin/flat

# Measurements: infra/bench. ONLY names sections (sdk start postgres counts line search core; of
# rush: rush best mixed day map), all if empty. QUICK=1 takes a fifth of the samples.
ONLY ?=

.PHONY: bench
bench: ## measure against floors: table, JSON and pictures in .build/bench; ONLY=sdk QUICK=1
	@mkdir -p .build/bench/bin
	@CGO_ENABLED=0 go build $(LEAN) -o .build/bench/bin/ ./functions/... ./infra/bench/start/...
	@CGO_ENABLED=0 go build $(WHOLE) -o .build/bench/bin/ $(READS:%=./functions/%)
	@go build -o .build/bench/bin/bench ./infra/bench
	@env -u AWS_CA_BUNDLE .build/bench/bin/bench -only '$(ONLY)' $(if $(QUICK),-quick)

.PHONY: rush
rush: build ## thousands for the same seats, and a release day at 1,000 requests/s; ONLY=rush, best, mixed, day or map
	@env -u AWS_CA_BUNDLE go run ./infra/bench/rush $(if $(ONLY),-only $(ONLY)) $(RUSH)

.PHONY: bench-rights
bench-rights: build ## what asking for rights at each call costs the local stack
	@env -u AWS_CA_BUNDLE go run ./infra/bench/rights

# Elsewhere: infra/deploy.
.tools/sam/bin/sam:
	@python3 -m venv .tools/sam && .tools/sam/bin/pip install -q aws-sam-cli==1.170.0

.PHONY: localstack
localstack: build .tools/sam/bin/sam ## deploy into LocalStack 4.14 and buy there; needs Docker
	@go build -o .build/bin/ ./infra/deploy/rehearse
	@env -u AWS_CA_BUNDLE .build/bin/rehearse localstack

.PHONY: sam
sam: build .tools/sam/bin/sam ## serve by sam local over the local tables, buy there, invoke every sample event; needs Docker
	@go build -o .build/bin/ ./infra/deploy/rehearse
	@$(ENV) $(STACK) --once --before 'sh -c "CATALOG_TABLE=$$TABLE_Catalog exec .build/bin/seed --cities 1"' --after '.build/bin/rehearse sam'

.PHONY: audit-template
audit-template: .tools/sam/bin/sam ## hold the template against checkov and AWS's Control Tower rules; needs cargo and npm
	@env -u AWS_CA_BUNDLE infra/deploy/audit/rules.sh .tools
	@mkdir -p .build && .tools/sam/bin/python infra/deploy/audit/expand.py template.yaml .build/template-expanded.json
	@.tools/sam/bin/python infra/deploy/audit/audit.py .build/template-expanded.json .tools/checkov/bin/checkov \
	  .tools/cfn-guard/bin/cfn-guard .tools/guard-rules/package/rules/control-tower/cfn-guard infra/deploy/audit/exceptions.yaml

# Deploying: infra/deploy/README.md. Credentials and region are those of the AWS CLI.
STAGE ?=

.PHONY: deploy
deploy: build .tools/sam/bin/sam ## deploy a stage on AWS by a canary: STAGE=test or production, FAIRSEAT_DEVELOPER_KEY
	@infra/deploy/deploy.sh '$(STAGE)'

.PHONY: deploy-account
deploy-account: .tools/sam/bin/sam ## once for an account and region: let API Gateway write access logs
	@.tools/sam/bin/sam deploy -t infra/deploy/account.yaml --stack-name fairseat-account --capabilities CAPABILITY_IAM --no-fail-on-empty-changeset
