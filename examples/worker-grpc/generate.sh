#!/bin/sh
# Stubs for Python into the folder named. Any protoc and plug-in can be used in the same way: the descriptor set holds
# every file that is imported, so no include path is needed.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
descriptors=${DESCRIPTORS:-$here/../../gen/descriptors.binpb}
mkdir -p "$1"
exec "${PYTHON:-python3}" -m grpc_tools.protoc --descriptor_set_in="$descriptors" \
  --python_out="$1" --grpc_python_out="$1" \
  buf/validate/validate.proto prsm/options/v1/options.proto prsm/errors/v1/errors.proto \
  prsm/session/v1/session.proto prsm/session/v1/worker.proto prsm/results/v1/artifacts.proto \
  prsm/library/v1/library.proto prsm/library/v1/internal.proto
