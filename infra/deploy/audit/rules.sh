#!/bin/sh
# Fetches the tools of make audit-template into the folder $1: checkov from PyPI,
# cfn-guard from crates.io, AWS's Control Tower rules from npm. Repeats nothing.
set -eu
tools=$1
[ -x "$tools/checkov/bin/checkov" ] || { python3 -m venv "$tools/checkov" && "$tools/checkov/bin/pip" install -q checkov==3.3.30; }
[ -x "$tools/cfn-guard/bin/cfn-guard" ] || cargo install -q cfn-guard --version 3.2.1 --locked --root "$tools/cfn-guard"
if [ ! -d "$tools/guard-rules/package" ]; then
	mkdir -p "$tools/guard-rules"
	cd "$tools/guard-rules"
	npm pack --silent @cdklabs/cdk-validator-cfnguard@0.0.62 >/dev/null
	tar -xzf cdklabs-cdk-validator-cfnguard-0.0.62.tgz package/rules
fi
