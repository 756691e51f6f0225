#!/bin/sh
# vbatch, vrun and vctl in VS Code's terminals, on VS Code's own Node: VBATCH_NODE is set there by the extension.
ELECTRON_RUN_AS_NODE=1 exec "${VBATCH_NODE:-node}" "${0%/*}/../cli/${0##*/}.cjs" "$@"
