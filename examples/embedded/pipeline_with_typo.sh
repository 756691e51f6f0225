#!/bin/bash

# Process all data files
vbatch -P cpu-16 --name preprocess ./process_all.sh

# Train the model after all files are processed
vbatch -P gpu-1 --name train --after-success preprocess python3 train_model.py

# Validate results. The mistake is meant: no task here is called "compute", see ../README.md
vbatch -P cpu-8 --name validate --after-success compute python3 validate_job.py
