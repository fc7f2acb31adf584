#!/bin/bash
# Stands for the bash goplot's care of disks.
echo "$(date) - diskhand : start diskhand.sh" > /etc/chia/goplot/logs/diskhand.log
echo 4321 > /etc/chia/goplot/disks/disk1.goplot
