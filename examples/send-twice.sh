# Sourced by the examples: sends one keyed event twice and shows that it counted once.
# Needs: metric, quantity. API_URL names another address than http://localhost:3000.
set -euo pipefail

tenant=${TENANT_ID:?'name a tenant, for example: TENANT_ID=$(uuidgen) bash '"$0"}
api=${API_URL:-http://localhost:3000}
customer=cus_demo
key="$metric-$(date -u +%Y%m%dT%H%M%S)-$$"
event='{"tenantId":"'$tenant'","metric":"'$metric'","customerRef":"'$customer'","quantity":'$quantity',"ts":"'$(date -u +%Y-%m-%dT%H:%M:%SZ)'","idempotencyKey":"'$key'"}'

send() {
  curl -sS --fail-with-body -X POST "$api/v1/events/ingest" -H 'Content-Type: application/json' -d '{"events":['"$event"']}'
  echo
}

usage() {
  curl -sS --fail-with-body -G "$api/v1/usage/current" --data-urlencode "tenantId=$tenant" --data-urlencode "customerRef=$customer"
}

echo "First:"
send
echo "Again, with the same key:"
send

# Counting follows the answer within moments.
for _ in $(seq 1 50); do
  usage | grep -q "\"$metric\"" && break
  sleep 0.2
done
echo "Counted:"
usage
echo
