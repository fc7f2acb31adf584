#!/bin/bash
# Stands for the bash goplot's reader of Chia's log.
tail -Fn0 /etc/chia/goplot/logs/goplot.log | while read -r line; do echo "$line" > /dev/null; done
