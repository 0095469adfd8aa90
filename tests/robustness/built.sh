#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Builds a program of this suite, and runs it. If Meson knew that a test needs
# it, plain `meson test` would build it, and before Meson 1.7 `ninja` would, too.
#
# usage: built.sh BUILD-DIRECTORY PROGRAM

set -eu
# One at a time: ninja does not expect another in the same place.
flock "$1" "${NINJA:-ninja}" -C "$1" "$2" >&2
exec "$1/$2"
