#!/usr/bin/env bash
# Starts the five services as separate processes, each with a sidecar of its own, waits until all are ready, prints their
# addresses, and stops everything on Ctrl-C or when one of them ends.
#
#   bash ops/run-apart.sh                                with localdapr; needs nothing but the .NET SDK
#   DAPRD=~/.dapr/bin/daprd bash ops/run-apart.sh        with daprd; placement and scheduler as `dapr init` starts them
#   DAPRD=... PLACEMENT=... SCHEDULER=... bash ops/run-apart.sh    with daprd, and starts these binaries too
#
#   DAPRD               sidecar binary (default: services/localdapr)
#   PLACEMENT           placement binary; without it sidecars look for one at localhost:50005
#   SCHEDULER           scheduler binary; without it sidecars look for one at localhost:50006
#   COMPONENTS          folder laid over components/: files of the same name take the place of the common ones. Default:
#                       components/local (SQLite and memory) with daprd; none with localdapr, which keeps state and
#                       messages itself whatever the components say
#   DATA_DIRECTORY      data of services and sidecars (default: data/apart)
#   LOGS                output of every process (default: DATA_DIRECTORY/logs)
#   CONFIGURATION       build that is run (default: Release)
#   BUILD               0 takes what was built before (default: 1)
#   READY_TIMEOUT_SECONDS   (default: 120)
#
# Without API_KEY_SALT it runs without keys, on loopback; with one, APP_API_TOKEN is needed too.
# Whatever else .env.example names is passed on. Without STRIPE_SECRET_KEY a double of Stripe is started and told.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

#     app        app   HTTP  sidecar's HTTP and gRPC
apps="ingest     5101  5201  3501  50101
      aggregator 5102  5202  3502  50102
      pusher     5103  5203  3503  50103
      pricing    5104  5204  3504  50104
      gateway    5105  3000  3505  50105"
stripe_port=12111
projects="ingest aggregator pusher pricing gateway localdapr stripedouble"

# For a developer's machine.
[[ -n ${API_KEY_SALT:-} ]] || export BYPASS_AUTH=${BYPASS_AUTH:-1}

configuration=${CONFIGURATION:-Release}
data=${DATA_DIRECTORY:-data/apart}
mkdir -p "$data"
data=$(cd "$data" && pwd)
logs=${LOGS:-$data/logs}
mkdir -p "$logs"
resources=$data/components

pids=()
names=()

# start NAME COMMAND...: runs a process in the background, with its output in a file of its name.
start() {
  local name=$1
  shift
  "$@" >"$logs/$name.log" 2>&1 </dev/null &
  pids+=("$!")
  names+=("$name")
}

# The file that `dotnet` runs for a service.
assembly() {
  local found=("services/$1/bin/$configuration/net10.0/"*.runtimeconfig.json)
  echo "${found[0]%.runtimeconfig.json}.dll"
}

fail() {
  echo "$1" >&2
  exit 1
}

stop() {
  trap - EXIT INT TERM
  [[ ${#pids[@]} -eq 0 ]] || kill -TERM "${pids[@]}" 2>/dev/null || true
  wait
}

# Ends this script when a process it started has ended.
check_alive() {
  local index
  for index in "${!pids[@]}"; do
    if ! kill -0 "${pids[$index]}" 2>/dev/null; then
      tail -n 20 "$logs/${names[$index]}.log" >&2
      fail "${names[$index]} ended; its output is in $logs/${names[$index]}.log"
    fi
  done
}

wait_until_ready() {
  local app=$1 port=$2 deadline=$((SECONDS + ${READY_TIMEOUT_SECONDS:-120}))
  until curl --fail --silent --output /dev/null --max-time 5 "http://localhost:$port/health/ready"; do
    check_alive
    if ((SECONDS > deadline)); then
      curl --silent --max-time 5 "http://localhost:$port/health/ready" >&2 || true
      fail "$app is not ready; its output is in $logs/$app.log"
    fi
    sleep 0.2
  done
}

build() {
  local project
  for project in $projects; do
    echo "Building $project"
    dotnet build "services/$project" --configuration "$configuration" --verbosity quiet --nologo
  done
}

check_built() {
  local project
  for project in $projects; do
    [[ -f $(assembly "$project") ]] || fail "services/$project is not built for $configuration; without BUILD=0 it would be"
  done
}

# Puts the resources of this run together: the common files, and those of COMPONENTS in their place.
prepare_components() {
  rm -rf "$resources"
  mkdir -p "$resources"
  cp components/*.yaml "$resources/"
  local over=${COMPONENTS:-${DAPRD:+components/local}}
  if [[ -n $over ]]; then cp "$over"/*.yaml "$resources/"; fi
  export ACTOR_STATE_FILE=${ACTOR_STATE_FILE:-$data/actors.db}
}

start_control_plane() {
  [[ -z ${PLACEMENT:-} ]] || start placement "$PLACEMENT" --port 50005 --healthz-port 50015 --enable-metrics=false
  [[ -z ${SCHEDULER:-} ]] || start scheduler "$SCHEDULER" --port 50006 --healthz-port 50016 --enable-metrics=false \
    --etcd-data-dir "$data/scheduler"
}

start_stripe() {
  [[ -z ${STRIPE_SECRET_KEY:-} && -z ${STRIPE_API_BASE:-} ]] || return 0
  start stripe dotnet "$(assembly stripedouble)" --port "$stripe_port" --data "$data/stripe-double.db"
  export STRIPE_API_BASE=http://localhost:$stripe_port
}

start_app() {
  local app=$1 app_port=$2 http_port=$3 dapr_http_port=$4 dapr_grpc_port=$5
  start "$app" env DATA_DIRECTORY="$data" APP_PORT="$app_port" PROBE_PORT="$http_port" \
    API_PORT="$http_port" API_HOST="${API_HOST:-127.0.0.1}" \
    DAPR_HTTP_PORT="$dapr_http_port" DAPR_GRPC_PORT="$dapr_grpc_port" dotnet "$(assembly "$app")"
  start "$app-dapr" env LOCALDAPR_DATA="$data" "${sidecar[@]}" --app-id "$app" --app-port "$app_port" --app-protocol h2c \
    --dapr-http-port "$dapr_http_port" --dapr-grpc-port "$dapr_grpc_port" --dapr-listen-addresses 127.0.0.1 \
    --enable-metrics=false --max-body-size 16Mi --resources-path "$resources" --config "$resources/config.yaml" \
    --placement-host-address localhost:50005 --scheduler-host-address localhost:50006
}

[[ ${BUILD:-1} == 0 ]] || build
check_built
if [[ -n ${DAPRD:-} ]]; then sidecar=("$DAPRD"); else sidecar=(dotnet "$(assembly localdapr)"); fi
trap stop EXIT
trap 'exit 0' INT TERM
prepare_components
start_control_plane
start_stripe
while read -r app app_port http_port dapr_http_port dapr_grpc_port; do
  start_app "$app" "$app_port" "$http_port" "$dapr_http_port" "$dapr_grpc_port"
done <<<"$apps"
while read -r app _ http_port _ _; do
  wait_until_ready "$app" "$http_port"
done <<<"$apps"

echo "StripeMeter runs apart, with ${sidecar[*]} beside each service."
while read -r app app_port http_port _ _; do
  printf '  %-10s gRPC http://localhost:%s   HTTP http://localhost:%s\n' "$app" "$app_port" "$http_port"
done <<<"$apps"
echo "  Stripe     ${STRIPE_API_BASE:-https://api.stripe.com}"
echo "  data       $data"
echo "  logs       $logs"
echo "Ctrl-C stops it; the data stays."
while true; do
  check_alive
  sleep 1
done
