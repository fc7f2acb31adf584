#!/bin/bash
# What the original goplot does at one look at the conditions, rebuilt: load from uptime, plots from
# ps, tunables from their files, a line in the log. Usage: original_poll.sh CONFIG LOG TIMES
config=$1 log=$2
for ((look = 0; look < $3; look++)); do
  toggle=$(tail -n1 "$config/on_toggle.goplot")
  loads=($(uptime | sed -e 's/.*average: //' -e 's/,//g'))
  load=$(awk "BEGIN { print (${loads[1]} + ${loads[2]}) / 2 }")
  plots=$(ps -eaf | grep 'chia plots create' | grep -v grep -c)
  most=$(tail -n1 "$config/max_plots.goplot")
  above=$(tail -n1 "$config/load_max.goplot")
  echo "$(date) $toggle $plots/$most plots, load $load/$above" >> "$log"
done
