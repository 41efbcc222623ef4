#!/bin/sh
# Builds the console from web/ into internal/console/dist.
set -eu
cd "$(dirname "$0")/../web"
[ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --no-audit --no-fund --loglevel=error
dist=../internal/console/dist
rm -rf "$dist/assets" "$dist/.vite"
npm run --silent build
touch "$dist/.vite/manifest.json"
