# Programs of another Debian suite in a folder of ours; read by the scripts of tests/install.
# What it says goes through `say`, which the script defines.
# shellcheck shell=bash

# Prints the base address of the mirror from which this machine gets its own Debian release.
mirror() {
  local release
  release=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
  apt-get indextargets --format '$(RELEASE) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' |
    awk -v release="$release" '$1 == release && $2 == "main" && $3 ~ /\/debian\/?$/ && !found++ { print $3 }'
}

# Writes an apt configuration into folder $1 that knows one suite ($2) of one mirror ($3) and nothing of this system but the
# way to reach the network.
write_apt_configuration() {
  local apt=$1 suite=$2 from=$3 keyring=/usr/share/keyrings/debian-archive-keyring.gpg options=""
  mkdir -p "$apt"/{parts,preferences,lists/partial,archives/partial}
  : >"$apt/status"
  [ -e "$keyring" ] && options="[signed-by=$keyring] "
  echo "deb $options$from $suite main" >"$apt/sources.list"
  {
    apt-config dump Acquire | grep -Ev '::(IndexTargets|Languages|GzipIndexes)'
    cat <<CONF
Dir::Etc::sourcelist "$apt/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::parts "$apt/parts";
Dir::Etc::preferences "$apt/no-preferences";
Dir::Etc::preferencesparts "$apt/preferences";
Dir::State "$apt";
Dir::State::status "$apt/status";
Dir::State::extended_states "$apt/extended_states";
Dir::Cache "$apt";
Dir::Log "$apt";
APT::Install-Recommends "false";
APT::Sandbox::User "$(id -un)";
Debug::NoLocking "true";
Acquire::Languages "none";
Acquire::Retries "1";
Acquire::http::Timeout "30";
Acquire::https::Timeout "30";
// A testing suite's index is often past its date on mirrors; its signature is still checked.
Acquire::Check-Valid-Until "false";
// Metadata of graphical software stores: ten times the package index, and of no use here.
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
CONF
  } >"$apt/apt.conf"
}

# Fetches packages ($3 and on) of suite $1 with all they depend on, and unpacks them into $2/root.
fetch_packages() {
  local suite=$1 into=$2 from package root=$2/root
  shift 2
  from=$(mirror)
  [ -n "$from" ] || { say "apt knows no Debian mirror for this machine's release"; return 1; }
  write_apt_configuration "$into/apt" "$suite" "$from" || return 1
  (
    export APT_CONFIG=$into/apt/apt.conf DEBIAN_FRONTEND=noninteractive
    apt-get -qq -o APT::Update::Error-Mode=any update && apt-get -qq -y --download-only install "$@"
  ) </dev/null >&2 || { say "apt could not fetch $* from suite $suite"; return 1; }

  mkdir -p "$root"
  for package in "$into"/apt/archives/*.deb; do
    dpkg-deb --extract "$package" "$root" || return 1
  done
  rm -rf "$into/apt"
}

# Makes program $2 below folder $1, which has its final name by now, find the loader and the libraries there.
use_own_libraries() {
  local root=$1 program=$2 loader libraries
  loader=$(find "$root" -name 'ld-linux*.so.*' | sort | head -n 1)
  libraries=$(dirname "$(find "$root/usr/lib" -name libc.so.6 | head -n 1)")
  [ -n "$loader" ] && [ "$libraries" != . ] || { say "the packages hold no C library"; return 1; }
  patchelf --set-interpreter "$loader" --force-rpath --set-rpath "$libraries" "$root/$program"
}
