#!/bin/bash
# Stands for the bash goplot's plot job.
/etc/chia/goplot/chia plots create -d /farm/1/disk1/plots
echo "endplot" >> logs/goplot.log
