#!/bin/sh
# LocalStack 4.14.0 from PyPI and what its image would bring along, into the folder
# $1, for machines that can pull no image. Wants Python 3.13, a JDK, Go, Docker,
# and DynamoDB Local as the local cloud fetches it, in the folder $2. Repeats nothing.
set -eu
home=$1 dynamodb=$2 here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$home"
home=$(cd "$home" && pwd)

# Dependencies as they were on the day of its release: later ones break its start.
if [ ! -e "$home/venv/installed" ]; then
	python3 -m venv "$home/uv"
	"$home/uv/bin/pip" install -q uv
	python=
	for p in python3.13 "$HOME"/.pyenv/versions/3.13.*/bin/python; do
		[ -n "$python" ] || ! "$p" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null || python=$p
	done
	"$home/uv/bin/uv" venv -q --clear -p "${python:-3.13}" "$home/venv"
	"$home/uv/bin/uv" pip install -q -p "$home/venv/bin/python" --exclude-newer 2026-03-05 'localstack-core[runtime]==4.14.0'
	touch "$home/venv/installed"
fi

# It looks for these where it would have downloaded them to.
lib=$home/root/var/lib/localstack/lib
jar=$lib/dynamodb-local/2
if [ ! -e "$jar/ddb-local-loader-0.1.jar" ]; then
	mkdir -p "$lib/java" "$jar"
	java=$(readlink -f "$(command -v javac)")
	ln -sfn "${java%/bin/javac}" "$lib/java/21"
	ln -sfn "$(cd "$dynamodb/lib" && pwd)" "$jar/DynamoDBLocal_lib"
	work=$(mktemp -d)
	trap 'rm -rf "$work"' EXIT
	{
		echo 'Main-Class: com.amazonaws.services.dynamodbv2.local.main.ServerRunner'
		printf 'Class-Path: .'
		for f in "$jar"/DynamoDBLocal_lib/*.jar; do printf '\n  DynamoDBLocal_lib/%s' "$(basename "$f")"; done
		echo
	} >"$work/manifest"
	jar -c -f "$jar/DynamoDBLocal.jar" -m "$work/manifest"
	# Its own agent lifts a limit on indexes; an agent that does nothing stands in.
	mkdir "$work/agent"
	echo 'public class Agent { public static void premain(String a) {} }' >"$work/Agent.java"
	javac -d "$work/agent" "$work/Agent.java"
	echo 'Premain-Class: Agent' >"$work/agent.manifest"
	jar -c -f "$jar/ddb-local-loader-0.1.jar" -m "$work/agent.manifest" -C "$work/agent" .
fi

rapid=$lib/lambda-runtime/v0.1.41-pre/x86_64/var/rapid
mkdir -p "$rapid"
(cd "$here" && CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o "$rapid/init" ./init)
