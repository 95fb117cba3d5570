#!/usr/bin/env bash
# Publishes usage with nothing but curl: one event as JSON, sent twice, and a CloudEvent of our own, sent twice.
# Each counts once. Usage: DAPR_HTTP_PORT=3500 bash examples/dapr-publisher/publish.sh
set -euo pipefail
address="http://localhost:${DAPR_HTTP_PORT:-3500}/v1.0/publish/pubsub/usage.events"
now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
key="curl-$RANDOM-$RANDOM"

for attempt in 1 2; do
  curl -fsS "$address" -H 'Content-Type: application/json' -d '{
    "tenantId": "dapr-publisher", "metric": "api_calls", "customerRef": "cus_02", "quantity": 1, "ts": "'"$now"'",
    "idempotencyKey": "'"$key"'"
  }'
  # An envelope with tenantid is its publisher's own, so source and id name the event.
  curl -fsS "$address" -H 'Content-Type: application/cloudevents+json' -d '{
    "specversion": "1.0", "id": "'"$key"'", "source": "/examples/curl", "type": "api_calls", "subject": "cus_02", "time": "'"$now"'",
    "tenantid": "dapr-publisher", "data": { "quantity": 0.5 }
  }'
done
echo "published: 2 events, each twice"
