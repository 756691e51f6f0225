#!/bin/bash

# One task for every 100 files, where a file alone is too little work for a task
ls *.csv | xargs -L 100 vbatch -P cpu-8 python3 process_file.py
