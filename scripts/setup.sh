#!/bin/sh
# Makes sure that what the tests need is there: Node.js, a PostgreSQL server, a C
# compiler for the race detector, and Chromium for the console. On Debian as root
# it installs them (Node.js is given); elsewhere it says exactly what is missing.
set -eu

missing=""
command -v go >/dev/null 2>&1 || { echo "Go is missing: https://go.dev/dl" >&2; exit 1; }
command -v npm >/dev/null 2>&1 || { echo "Node.js 20 or later with npm is missing: https://nodejs.org" >&2; exit 1; }
command -v initdb >/dev/null 2>&1 || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$missing postgresql"
command -v gcc >/dev/null 2>&1 || missing="$missing gcc libc6-dev"
[ -n "${TENANTRY_CHROMIUM:-}" ] || command -v chromium >/dev/null 2>&1 || missing="$missing chromium"
[ -z "$missing" ] && exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
	echo "installing:$missing"
	export DEBIAN_FRONTEND=noninteractive
	apt-get update -qq
	# The tests start their own server: the package's need not run.
	# shellcheck disable=SC2086
	apt-get install -y -qq --no-install-recommends $missing >/dev/null
	exit 0
fi
echo "The tests need these Debian packages, or the same from your system:$missing" >&2
exit 1
