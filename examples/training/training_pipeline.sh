#!/bin/bash

# Process the data: drop incomplete rows, split, scale
vbatch -P cpu-16 --name process python3 process_data.py

# Train the model after processing is done
vbatch -P gpu-1 --name train --after-success process python3 train_model.py

# Model evaluation after training is complete
vbatch -P cpu-8 --name eval --after-success train python3 evaluate_model.py
