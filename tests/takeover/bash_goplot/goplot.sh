#!/bin/bash
# Stands for the bash goplot's main loop: it runs tractor.sh in a copy of itself.
cd /etc/chia/goplot || exit 1
. ./tractor.sh &
while [[ $(tail -n1 config/on_toggle.goplot) == "run" ]]; do sleep 1; done
