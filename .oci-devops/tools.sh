#!/usr/bin/env bash
# Puts onto a build runner of OCI DevOps (Oracle Linux 8, as root) what its image lacks, then the
# packages of this project. What is there already is left alone.
set -euo pipefail
cd "$(dirname "$0")/.."

have() { command -v "$1" >/dev/null; }

have python3.12 || have python3.11 || dnf -y install python3.12
have node || { dnf -y module reset nodejs && dnf -y module install nodejs:20; }
have terraform || dnf -y --enablerepo=ol8_developer install terraform

python=$(command -v python3.12 || command -v python3.11)
make setup PYTHON="$python"
