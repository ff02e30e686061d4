#!/bin/sh
# Runs LocalStack in host mode from the folder $1 on port $2, until it is stopped.
set -eu
here=$(cd "$(dirname "$0")" && pwd) home=$(cd "$1" && pwd)
export FILESYSTEM_ROOT="$home/root"
export OVERRIDE_IN_DOCKER=0 # a /.dockerenv on the machine would mislead it
# The functions' containers reach it on Docker's bridge.
export GATEWAY_LISTEN="0.0.0.0:$2" LOCALSTACK_HOST="localhost:$2"
export PROVIDER_OVERRIDE_DYNAMODB=v2 PROVIDER_OVERRIDE_DYNAMODBSTREAMS=v2
export DYNAMODB_IN_MEMORY=1 DYNAMODB_REMOVE_EXPIRED_ITEMS=1
export DNS_ADDRESS=0 DISABLE_EVENTS=1 SKIP_SSL_CERT_DOWNLOAD=1 EAGER_SERVICE_LOADING=0
export LAMBDA_KEEPALIVE_MS=600000 MAIN_CONTAINER_NAME=fairseat-localstack
export PROVIDER_OVERRIDE_CLOUDFORMATION=engine-legacy # the new one resolves references before SAM has made what they name
exec "$home/venv/bin/python" "$here/host.py"
