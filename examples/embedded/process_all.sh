#!/bin/bash

# vrun waits, so this script ends when the last file is done, and fails if one of them failed
ls *.csv | xargs -I {} vrun -P cpu-8 python3 process_file.py {}
