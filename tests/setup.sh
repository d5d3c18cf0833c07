#!/usr/bin/env bash
# Set-up of a fresh Debian 12 machine: FFmpeg's libraries, clang, and a virtual environment with ONNX Runtime.
# Runs again without the network once done.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(clang ffmpeg libavcodec-dev libavformat-dev libavutil-dev libswresample-dev libswscale-dev pkg-config espeak-ng python3-venv)
missing=()
for package in "${packages[@]}"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
if ((${#missing[@]})); then
    echo "== installing Debian packages: ${missing[*]}"
    sudo=$([ "$(id -u)" = 0 ] || echo sudo)
    $sudo apt-get update -qq
    DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

# the environment is made anew when what it must hold changes
stamp=.venv/requirements.sha256
want=$(sha256sum python/requirements.txt | cut -d' ' -f1)
if [ "$(cat "$stamp" 2>/dev/null || true)" != "$want" ]; then
    echo "== making the virtual environment .venv: $(paste -sd' ' python/requirements.txt)"
    rm -rf .venv
    python3 -m venv .venv
    .venv/bin/python -m pip install --quiet --disable-pip-version-check -r python/requirements.txt
    echo "$want" >"$stamp"
fi
