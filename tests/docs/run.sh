#!/usr/bin/env bash
# Runs the commands of a document word by word against a fresh services/local, and compares what they answer.
#
#   bash tests/docs/run.sh [FILE]     default: docs/api.md
#
# A command is a block of sh. A block of json or text right behind it is its answer: … stands for what differs from run to
# run, and where lines are broken and indented does not matter. Only the ports are others than in the document, because free ones
# are used, and `dotnet run` runs what was built: services/local behind the commands that follow, or at once where no command of the
# document starts it. What only reads is asked again for a while, because counting follows behind storing. With ANSWERS every command
# and what it answered is left in that directory.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
document=$root/${1:-docs/api.md}

# The program built of a project.
built() {
  local program
  program=$(sed -n 's/.*<AssemblyName>\(.*\)<.*/\1/p' "$root/$1"/*.csproj)
  # The programs of other projects may lie beside it.
  program=$(ls -t "$root/$1"/bin/*/net10.0/"$program".runtimeconfig.json 2>/dev/null | head -n 1)
  [ -n "$program" ] || { echo "Build first: dotnet build $1" >&2; exit 1; }
  echo "${program%.runtimeconfig.json}.dll"
}

work=$(mktemp -d)
pid=
stop() {
  [ -z "$pid" ] || { kill "$pid" 2>/dev/null || true; wait "$pid" 2>/dev/null || true; }
  rm -rf "$work"
}
trap stop EXIT

# services/local, behind what follows.
start() {
  command dotnet "$(built services/local)" "$@" --port 0 --API_HOST 127.0.0.1 --INGEST_PORT 0 --STRIPE_DOUBLE_PORT 0 \
    --PUBLISHER_HTTP_PORT 0 --PUBLISHER_GRPC_PORT 0 --STRIPE_WRITER_INTERVAL_MS 200 >"$work/log" 2>&1 &
  pid=$!
  for ((tick = 0; tick < 600; tick++)); do
    grep -q '^Ctrl-C stops it' "$work/log" && break
    kill -0 "$pid" 2>/dev/null || { cat "$work/log" >&2; exit 1; }
    sleep 0.1
  done
  rest=$(address REST) stripe=$(address Stripe) dapr=$(address Dapr)
}
address() { sed -n "s/^ *$1 *\(http:[^ ]*[0-9]\).*/\1/p" "$work/log" | head -n 1; }

dotnet() {
  [ "$1 $2" = "run --project" ] || { command dotnet "$@"; return; }
  local project=$3
  shift 3
  [ "${1-}" != -- ] || shift
  if [ "$project" = services/local ]; then start "$@"; else command dotnet "$(built "$project")" "$@"; fi
}

# Blocks go to files: 001.sh, 001.answer, 002.sh, …
awk -v out="$work" '
  /^```sh$/ { name = sprintf("%s/%03d.sh", out, ++count); inside = 1; next }
  /^```(json|text)$/ && behind { name = sprintf("%s/%03d.answer", out, count); inside = 1; next }
  /^```/ { if (inside) close(name); behind = inside; inside = 0; next }
  inside { print > name; next }
  NF { behind = 0 }
' "$document"

joined() { sed 's/\r$//; s/^[[:space:]]*//' "$1" | tr -d '\n'; }

# Whether what was answered is what the document shows.
matches() {
  local pattern
  pattern=$(joined "$2" | sed 's/[][\\*?]/\\&/g; s/…/*/g')
  # shellcheck disable=SC2053
  [[ $(joined "$1") == $pattern ]]
}

keep() {
  [ -z "${ANSWERS-}" ] || { cp "$command" "$ANSWERS"; cp "$work/actual" "$ANSWERS/$(basename "$answer")"; }
}

cd "$work"
grep -qs 'dotnet run --project services/local' "$work"/*.sh || start
failed=0 total=0
for command in "$work"/*.sh; do
  total=$((total + 1))
  answer=${command%.sh}.answer
  sed "s#http://localhost:3000#${rest-}#g; s#http://localhost:12111#${stripe-}#g; s#http://localhost:3500#${dapr-}#g" "$command" >"$work/command"
  attempts=300
  grep -qe '-X' -e '--json' -e 'dotnet run' "$command" && attempts=1
  for ((attempt = 1; ; attempt++)); do
    set +e
    source "$work/command" >"$work/actual" 2>"$work/errors"
    status=$?
    set -e
    [ "$status" = 0 ] && { [ ! -f "$answer" ] || matches "$work/actual" "$answer"; } && { keep; break; }
    if ((attempt == attempts)); then
      failed=$((failed + 1))
      printf 'FAILED (%s)\n%s\n' "$status" "$(cat "$work/command")"
      [ ! -f "$answer" ] || printf -- '--- shown\n%s\n' "$(joined "$answer")"
      printf -- '--- answered\n%s%s\n\n' "$(cat "$work/actual")" "$(cat "$work/errors")"
      break
    fi
    sleep 0.1
  done
done

echo "$((total - failed)) commands of ${document#"$root"/} answer what it shows, $failed do not."
[ "$failed" = 0 ] && [ "$total" -gt 0 ]
