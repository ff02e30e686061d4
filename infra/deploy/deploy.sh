#!/bin/sh
# Deploys the stage $1: the stack fairseat-$1 with the parameters of stages/$1.txt.
# Secrets come from FAIRSEAT_DEVELOPER_KEY and FAIRSEAT_SMTP_PASSWORD.
set -eu
here=$(cd "$(dirname "$0")" && pwd) root=$(cd "$(dirname "$0")/../.." && pwd)
file=$here/stages/${1:-}.txt
if [ -z "${1:-}" ] || [ ! -f "$file" ]; then
	echo "which stage? make deploy STAGE=... with one of: $(cd "$here/stages" && echo ./*.txt | sed 's/\.\///g; s/\.txt//g')" >&2
	exit 2
fi
: "${FAIRSEAT_DEVELOPER_KEY:?is not set: the first developer key, 20 to 128 characters}"
set -- "$1" "DeveloperKey=$FAIRSEAT_DEVELOPER_KEY" ${FAIRSEAT_SMTP_PASSWORD:+"SmtpPassword=$FAIRSEAT_SMTP_PASSWORD"}
stage=$1
shift
while IFS= read -r line; do
	case $line in '' | \#*) ;; *) set -- "$@" "$line" ;; esac
done <"$file"
cd "$root"
export SAM_CLI_TELEMETRY=0
exec .tools/sam/bin/sam deploy --template-file template.yaml --stack-name "fairseat-$stage" --resolve-s3 \
	--capabilities CAPABILITY_IAM --no-fail-on-empty-changeset --tags "stage=$stage" --parameter-overrides "$@"
