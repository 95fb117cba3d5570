#!/usr/bin/env bash
# Sends five seats as the same keyed event twice and shows that it counted once.
#   TENANT_ID=$(uuidgen) bash examples/seats/send.sh
# API_URL names another address than http://localhost:3000.
set -euo pipefail

tenant=${TENANT_ID:?"set TENANT_ID, for example: TENANT_ID=\$(uuidgen) bash examples/seats/send.sh"}
api=${API_URL:-http://localhost:3000}
customer=cus_sea_demo
key="seats-$(date -u +%Y%m%dT%H%M%S)-$$"
event='{"tenantId":"'$tenant'","metric":"seats","customerRef":"'$customer'","quantity":5,"ts":"'$(date -u +%Y-%m-%dT%H:%M:%SZ)'","idempotencyKey":"'$key'"}'

send() {
  curl -sS --fail-with-body -X POST "$api/v1/events/ingest" -H 'Content-Type: application/json' -d '{"events":['"$event"']}'
  echo
}

# What is used up to now, and how far every shard is counted.
usage() { curl -sS --fail-with-body -G "$api/v1/usage/current" --data-urlencode "tenantId=$tenant" --data-urlencode "customerRef=$customer"; }
all_counted() {
  curl -sS --fail-with-body -G "$api/v1/counters/progress" --data-urlencode "tenantId=$tenant" |
    python3 -c 'import json,sys; sys.exit(any(s["projected"] < s["head"] for s in json.load(sys.stdin)["shards"]))'
}

echo "first:"; send
echo "again, with the same key:"; send
for _ in $(seq 1 50); do all_counted && break; sleep 0.2; done
echo "counted:"; usage; echo
