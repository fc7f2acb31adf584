#!/bin/bash
# The work of the original goplot's diskhand for a farm in a folder of its own, rebuilt: for every
# disk the same calls of the same tools (tail, df, grep, awk, ps), so that both can be measured in
# one run. Usage: original.sh FARM_ROOT DISK_FILES LOG
farms=$1 files=$2 log=$3
plot_kib=109000000
date > "$log"
for farm in $(ls "$farms"); do
  for disk in $(ls "$farms/$farm"); do
    path=$farms/$farm/$disk
    held=$(tail -n1 "$files/$disk.goplot" 2> /dev/null)
    if [ "${held:-0}" -lt 9999999999999 ]; then
      echo "$(date) looking at $path" >> "$log"
      used=$(df | grep -E "/$" | awk '{print $3}')
      free=$(df | grep -E "/$" | awk '{print $4}')
      echo "$(date) $path $used $free" >> "$log"
      jobs=$(ps -eaf | grep 'chia plots create' | grep -v grep | grep -c "$disk")
      echo "$(date) $path has $jobs plots under way" >> "$log"
      left=$((free - jobs * plot_kib))
      echo "$(date) $path has $left left" >> "$log"
      echo "$(date) $path gets its value" >> "$log"
      echo "$used" > "$files/$disk.goplot"
    fi
  done
done
date >> "$log"
