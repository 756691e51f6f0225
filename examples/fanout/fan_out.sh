#!/bin/bash

# One task for each file, all in parallel, each named after its file
ls *.csv | xargs -I {} vbatch --name {} -P cpu-8 python3 process_file.py {}
