#!/usr/bin/env bash
# Install what Debian 12 needs to build dlg-text and run its tests. Does nothing where everything is there already.
set -euo pipefail

packages=(
    build-essential cmake ninja-build pkg-config
    libopenblas-dev liblapacke-dev # matrix products and decompositions
    libdnnl-dev                    # products with packed weights; the build does without it where it is missing
    libutf8proc-dev                # Unicode
    libcjson-dev                   # JSON
    libxxhash-dev                  # fingerprints
    zlib1g-dev                     # zip archives: .npz and .pt
    liblbfgs-dev                   # L-BFGS
    librandom123-dev               # counter-based random numbers
    help2man                       # man pages; the build does without it where it is missing
    libcmocka-dev                  # tests
)

missing=()
for package in "${packages[@]}"; do
    case $(dpkg-query -W -f '${Status}' "$package" 2> /dev/null || true) in
    'install ok installed') ;;
    *) missing+=("$package") ;;
    esac
done
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo > /dev/null; then
        echo "install-packages.sh: want root or sudo to install ${missing[*]}, found neither" >&2
        exit 1
    fi
    as_root=(sudo)
fi

install() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"
}

echo "Installing ${missing[*]}" >&2
# The lists of a fresh machine are empty, those of an old one may name files that are gone: fetch them only then.
install || { "${as_root[@]}" apt-get update && install; }
