#!/usr/bin/env bash
# Runs the commands of a document word by word against a fresh services/local, and compares what they answer.
#
#   bash tests/docs/run.sh [FILE]     default: docs/api.md
#
# A command is a block of sh. A block of json or text right behind it is its answer: … stands for what differs from run to
# run, and where lines are broken and indented does not matter. Only the ports are others than in the document, because free ones
# are used. What only reads is asked again for a while, because counting follows behind storing. Needs a build of services/local.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
document=$root/${1:-docs/api.md}
local=$(ls -t "$root"/services/local/bin/*/net10.0/StripeMeter.Local.dll 2>/dev/null | head -n 1)
[ -n "$local" ] || { echo "Build first: dotnet build services/local" >&2; exit 1; }

work=$(mktemp -d)
pid=
stop() {
  [ -z "$pid" ] || { kill "$pid" 2>/dev/null || true; wait "$pid" 2>/dev/null || true; }
  rm -rf "$work"
}
trap stop EXIT

dotnet "$local" --data "$work/data" --port 0 --API_HOST 127.0.0.1 --INGEST_PORT 0 --STRIPE_DOUBLE_PORT 0 --STRIPE_WRITER_INTERVAL_MS 200 \
  >"$work/log" 2>&1 &
pid=$!
for ((tick = 0; tick < 600; tick++)); do
  grep -q '^StripeMeter is ready' "$work/log" && break
  kill -0 "$pid" 2>/dev/null || { cat "$work/log" >&2; exit 1; }
  sleep 0.1
done
address() { sed -n "s/^ *$1 *\(http:[^ ]*[0-9]\).*/\1/p" "$work/log" | head -n 1; }
rest=$(address REST) stripe=$(address Stripe)

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

cd "$work"
failed=0 total=0
for command in "$work"/*.sh; do
  total=$((total + 1))
  answer=${command%.sh}.answer
  sed -i "s#http://localhost:3000#$rest#g; s#http://localhost:12111#$stripe#g" "$command"
  attempts=300
  grep -qe '-X' -e '--json' "$command" && attempts=1
  for ((attempt = 1; ; attempt++)); do
    set +e
    source "$command" >"$work/actual" 2>"$work/errors"
    status=$?
    set -e
    [ "$status" = 0 ] && { [ ! -f "$answer" ] || matches "$work/actual" "$answer"; } && break
    if ((attempt == attempts)); then
      failed=$((failed + 1))
      printf 'FAILED (%s)\n%s\n' "$status" "$(cat "$command")"
      [ ! -f "$answer" ] || printf -- '--- shown\n%s\n' "$(joined "$answer")"
      printf -- '--- answered\n%s%s\n\n' "$(cat "$work/actual")" "$(cat "$work/errors")"
      break
    fi
    sleep 0.1
  done
done

echo "$((total - failed)) commands of ${document#"$root"/} answer what it shows, $failed do not."
[ "$failed" = 0 ] && [ "$total" -gt 0 ]
