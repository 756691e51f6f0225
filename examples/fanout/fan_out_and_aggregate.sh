#!/bin/bash

# One task for each file, all in parallel, each named after its file
ls *.csv | xargs -I {} vbatch --name {} -P cpu-8 python3 process_file.py {}

# Aggregate once all of them have succeeded; the quotes keep the glob for vbatch
vbatch -P cpu-4 --name aggregate --after-success '*.csv' python3 aggregate.py
