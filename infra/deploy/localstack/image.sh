#!/bin/sh
# Makes what stands in for public.ecr.aws/lambda/provided:al2023 where that cannot
# be pulled: a shell, certificates and the folders of Lambda. Enough for a static
# binary, and for nothing else.
set -eu
for tag in al2023 al2023-x86_64; do
	image=public.ecr.aws/lambda/provided:$tag
	docker image inspect "$image" >/dev/null 2>&1 || timeout 120 docker pull -q "$image" >/dev/null 2>&1 || missing=1
done
[ -n "${missing:-}" ] || exit 0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
mkdir -p "$root/bin" "$root/etc/ssl/certs" "$root/etc/pki/tls/certs" "$root/var/task" "$root/var/runtime" \
	"$root/var/rapid" "$root/opt" "$root/tmp" "$root/usr/sbin" "$root/root"
cp "$(command -v busybox)" "$root/bin/busybox" # the static one, of busybox-static
for a in sh ls cat mv cp mkdir chmod chown env echo sleep ps rm ln test grep; do ln -s busybox "$root/bin/$a"; done
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/pki/tls/certs/ca-bundle.crt"
printf 'root:x:0:0:root:/root:/bin/sh\nsbx_user1051:x:993:990::/tmp:/bin/sh\n' >"$root/etc/passwd"
printf 'root:x:0:\nsbx_user1051:x:990:\n' >"$root/etc/group"
chmod 1777 "$root/tmp"
cat >"$root/lambda-entrypoint.sh" <<'E'
#!/bin/sh
export _HANDLER="${1:-bootstrap}"
if [ -z "$AWS_LAMBDA_RUNTIME_API" ]; then exec /usr/local/bin/aws-lambda-rie /var/task/bootstrap; fi
exec /var/task/bootstrap
E
chmod 755 "$root/lambda-entrypoint.sh"
tar -C "$root" -cf "$work/root.tar" .
for tag in al2023 al2023-x86_64; do
	docker import -c 'WORKDIR /var/task' -c 'ENTRYPOINT ["/lambda-entrypoint.sh"]' \
		-c 'ENV LAMBDA_TASK_ROOT=/var/task LAMBDA_RUNTIME_DIR=/var/runtime PATH=/bin:/usr/bin' \
		"$work/root.tar" "public.ecr.aws/lambda/provided:$tag" >/dev/null
done
