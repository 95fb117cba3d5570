#!/usr/bin/env bash
# Five seats, sent twice, count once:  TENANT_ID=$(uuidgen) bash examples/seats/send.sh
metric=seats quantity=5
. "$(dirname "$0")/../send-twice.sh"
