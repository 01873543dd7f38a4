#!/usr/bin/env bash
# Kuwahara filter (Kuwahara et al. 1976) of a stack, by ImageMagick: an example of a method without Python.
#
#   kuwahara.sh NOISY.npy DENOISED.npy [RADIUS]
#
# A .npy file of format version 1 is 8 bytes of magic number and version, 2 bytes that give the length of the header text
# (low byte first), the text, and then the pixels, image after image, row after row.
set -euo pipefail
noisy=$1 denoised=$2 radius=${3:-1}

length=$(od -An -tu2 --endian=little -j8 -N2 "$noisy" | tr -d ' ')
header=$((10 + length))
text=$(head -c "$header" "$noisy" | tr -d '\0')
shape="'descr': '\|u1'.*'fortran_order': False.*'shape': \(([0-9]+), ([0-9]+), ([0-9]+)\)"
if [[ ! $text =~ $shape ]]; then
    echo "$noisy is not a C-ordered uint8 array of three dimensions." >&2
    exit 1
fi
height=${BASH_REMATCH[2]} width=${BASH_REMATCH[3]}

# 64 images at a time, so that memory does not grow with the stack. The denoised file has the header of the noisy one.
export filter="convert -size ${width}x${height} -depth 8 gray:- -kuwahara $radius -depth 8 gray:-"
{
    head -c "$header" "$noisy"
    tail -c "+$((header + 1))" "$noisy" | split --bytes=$((64 * height * width)) --filter='$filter'
} >"$denoised"
cp "${noisy%.npy}.csv" "${denoised%.npy}.csv"
