#!/bin/bash

# A pipeline of its own for each file, all in parallel
vbatch --name days bash -c "ls *.csv | xargs -I {} vbatch --name {} ./inference_and_eval.sh {}"

# Aggregate the evaluations: waiting for "days" is waiting for everything below it
vbatch -P cpu-4 --name aggregate --after-success days ./aggregate.py
