#!/usr/bin/env bash
# An API call, sent twice, counts once:  TENANT_ID=$(uuidgen) bash examples/api-calls/send.sh
metric=api_calls quantity=1
. "$(dirname "$0")/../send-twice.sh"
