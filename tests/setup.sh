#!/usr/bin/env bash
# Set-up of a fresh Debian 12 machine: FFmpeg's libraries and clang. Runs again without the network once done.
set -euo pipefail

packages=(clang ffmpeg libavcodec-dev libavformat-dev libavutil-dev libswresample-dev libswscale-dev pkg-config espeak-ng)
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
