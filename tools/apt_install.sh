#!/bin/sh
# Installs Debian or Ubuntu packages if running as root; otherwise prints the command to run.
# usage: tools/apt_install.sh PACKAGE...
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "Not installed: $*. On Debian or Ubuntu: sudo apt-get install $*" >&2
    exit 0
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq || echo "apt-get update failed; trying with the existing package lists." >&2
apt-get install -y -qq --no-install-recommends "$@" >/dev/null || echo "Could not install: $*" >&2
