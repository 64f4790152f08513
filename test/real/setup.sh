#!/usr/bin/env bash
# Installs the real programs that `npm run test:real` needs, from the packages of Debian or Ubuntu, and those that
# must be of one version from where `pinned` says.
# Can be run any number of times, as root or by someone who may sudo. Starts no service.
set -euo pipefail

programs=(docker dockerd docker-registry podman skopeo buildah docker-credential-pass pass gpg
  strace tinyproxy faketime shellcheck jq kubectl)

# Only what is missing is installed: a docker or podman that the machine has from elsewhere may not go beside Debian's.
package_of() {
  case $1 in
    docker | dockerd) echo docker.io ;;
    docker-credential-pass) echo golang-docker-credential-helpers ;;
    gpg) echo gnupg ;;
    kubectl) echo kubernetes-client ;;
    tinyproxy) echo tinyproxy-bin ;;
    *) echo "$1" ;;
  esac
}

# What Debian puts in the sbin folders is not on everyone's PATH. They come last: a docker CLI that the machine has
# already (in /usr/local/bin, say) stays the one in use.
PATH="$PATH:/usr/local/bin:/usr/bin:/usr/local/sbin:/usr/sbin:/sbin"
export PATH DEBIAN_FRONTEND=noninteractive

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo --non-interactive --preserve-env=DEBIAN_FRONTEND "$@"; fi
}

missing() {
  for program in "${programs[@]}"; do
    [ -x "$(command -v "$program")" ] || echo "$program"
  done
  python3 -c 'import ensurepip, venv' 2>/dev/null || echo python3-venv
}

# Debian's packages start their services as soon as they are unpacked, unless policy-rc.d forbids it (exit code 101).
# What the machine had in its place is kept beside it, where a later run finds it even if this one is killed.
policy=/usr/sbin/policy-rc.d
kept="$policy.before-icr-login"
ours='# of icr-login, test/real/setup.sh'

forbid_services() {
  if [ -e "$policy" ] && ! grep -qF "$ours" "$policy"; then as_root cp --preserve=all "$policy" "$kept"; fi
  printf '#!/bin/sh\n%s\nexit 101\n' "$ours" | as_root tee "$policy" >/dev/null
  as_root chmod 0755 "$policy"
}

allow_services_again() {
  if [ -e "$kept" ]; then as_root mv -f "$kept" "$policy"; else as_root rm -f "$policy"; fi
}

install_packages() {
  local packages
  readarray -t packages < <(missing | while read -r program; do package_of "$program"; done | sort --unique)
  command -v apt-get >/dev/null || {
    echo "test/real/setup.sh knows apt-get only. Missing here: $(missing | xargs)" >&2
    exit 1
  }
  trap allow_services_again EXIT
  forbid_services
  log=$(mktemp)
  if ! { as_root apt-get update --quiet=2 && as_root apt-get install --quiet=2 --yes --no-install-recommends \
    --option Dpkg::Options::=--force-confold --option DPkg::Lock::Timeout=300 "${packages[@]}"; } \
    >"$log" 2>&1 </dev/null; then
    cat "$log" >&2
    rm -f "$log"
    exit 1
  fi
  rm -f "$log"
  allow_services_again
  trap - EXIT
}

# Left by a run that was killed.
if grep -qsF "$ours" "$policy"; then allow_services_again; fi
if [ -n "$(missing)" ]; then install_packages; fi

if [ -n "$(missing)" ]; then
  echo "Still missing: $(missing | xargs)" >&2
  exit 1
fi

version_of() {
  case $1 in
    docker-credential-pass | pass) dpkg-query --show --showformat '${Package} ${Version}' "$(package_of "$1")" ;;
    docker-registry) docker-registry --version ;;
    tinyproxy) tinyproxy -v ;;
    faketime) faketime --version | grep . ;;
    shellcheck) shellcheck --version | grep '^version:' ;;
    kubectl) kubectl version --client ;;
    *) "$1" --version ;;
  esac </dev/null 2>&1 | head -n 1
}

for program in "${programs[@]}"; do
  printf '%-24s %-36s %s\n' "$program" "$(command -v "$program")" "$(version_of "$program")"
done

bash "$(dirname "${BASH_SOURCE[0]}")/pinned/install.sh"
