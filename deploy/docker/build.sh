#!/bin/sh
# Build every image: deploy/docker/build.sh [VERSION]
#
# Bases are taken by the digests in bases.lock. While none are on record it refuses; UNPINNED=1 builds by version alone,
# for trying things out.
set -eu
cd "$(dirname "$0")/../.."

VERSION=${1:-dev}
PYTHON=${PYTHON:-.venv/bin/python}
REVISION=$(git rev-parse HEAD)
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH

if [ -n "${UNPINNED:-}" ]; then
    set --
else
    PINNED=$("$PYTHON" -m deploy.docker.bases show)
    set -- --build-arg "$(printf '%s\n' "$PINNED" | grep '^PYTHON_BASE=')"
fi

for image in session results collab billing library worker gateway envoy nats tools; do
    docker build --file deploy/docker/Dockerfile --target "$image" --tag "prsm/$image:$VERSION" \
        --build-arg "VERSION=$VERSION" --build-arg "REVISION=$REVISION" \
        --build-arg "SOURCE_DATE_EPOCH=$SOURCE_DATE_EPOCH" "$@" .
done
