#!/bin/sh
# Names what is missing, one line each, with what to install. Prints nothing when all is there.
# usage: tools/prerequisites.sh PYTHON [tool ...]

python=$1
shift
missing=0

complain() {
    echo "missing: $1" >&2
    missing=1
}

# at_least HAVE WANT: compares dotted versions
at_least() {
    [ "$(printf '%s\n%s\n' "$2" "$1" | sort -t. -k1,1n -k2,2n | head -n 1)" = "$2" ]
}

for tool in python "$@"; do
    case $tool in
    python)
        have=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
        case $have in
        3.11 | 3.12 | 3.13) ;;
        *) complain "Python 3.11, 3.12 or 3.13 ('$python' is ${have:-not there}): install one and say make PYTHON=python3.12" ;;
        esac
        ;;
    node)
        have=$(node --version 2>/dev/null | tr -d v)
        if [ -z "$have" ] || ! at_least "$have" 20.0; then
            complain "Node.js 20 or 22 ('node' is ${have:-not there}): install nodejs from nodejs.org or your distribution"
        elif at_least "$have" 24.0; then
            complain "Node.js 20 or 22 ('node' is $have, on which cdktf-cli 0.21 does not run): install Node.js 22"
        fi
        ;;
    npm)
        npm --version >/dev/null 2>&1 || complain "npm: it comes with Node.js 20 or 22; install nodejs (and npm) from nodejs.org or your distribution"
        ;;
    terraform)
        have=$(TF_CLI_CONFIG_FILE=/dev/null CHECKPOINT_DISABLE=1 terraform version 2>/dev/null | sed -n 's/^Terraform v//p')
        if [ -z "$have" ] || ! at_least "$have" 1.11; then
            complain "Terraform 1.11 or newer ('terraform' is ${have:-not there}): install it from developer.hashicorp.com/terraform/install"
        fi
        ;;
    git)
        git --version >/dev/null 2>&1 || complain "git: install it from your distribution"
        ;;
    esac
done
exit $missing
