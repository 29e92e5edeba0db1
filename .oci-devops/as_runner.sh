#!/usr/bin/env bash
# Runs a module of this project as the build runner itself: by its resource principal, so that there
# is no secret to keep. What is set already is left alone.
set -euo pipefail
cd "$(dirname "$0")/.."

export OCI_IAM_TYPE="${OCI_IAM_TYPE:-resource_principal}" # python -m jobs
export OCI_CLI_AUTH="${OCI_CLI_AUTH:-resource_principal}"
export TF_VAR_auth="${TF_VAR_auth:-ResourcePrincipal}" # the provider
export OCI_auth="${OCI_auth:-ResourcePrincipal}"       # the state's backend, Terraform 1.12 and later
export PATH="$PWD/.venv/bin:$PATH"                     # oci
exec .venv/bin/python -m "$@"
