#!/usr/bin/env python3
"""Trains a multinomial logistic regression on out/train.csv and writes out/model.json.

The model tells a penguin's species from its measurements. It has one row of weights a species: a
bias, then one weight a measurement. Training is plain gradient descent over all rows at once, from
zero weights, so the same rows always give the same model.
"""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

STEPS = 400
LEARNING_RATE = 1.0
# Pulls the weights towards zero: where the species can be told apart without a mistake they would
# grow for ever.
WEIGHT_DECAY = 0.001


def read_rows(path: Path) -> tuple[list[list[float]], list[str]]:
    """Returns the features of each row, a leading 1 for the bias included, and its species."""
    with path.open(newline="") as file:
        reader = csv.reader(file)
        next(reader)
        rows = list(reader)
    return [[1.0] + [float(value) for value in row[:-1]] for row in rows], [row[-1] for row in rows]


def probabilities(weights: list[list[float]], features: list[float]) -> list[float]:
    """Returns the probability of each species: the softmax of the weighted sums."""
    scores = [sum(w * x for w, x in zip(row, features)) for row in weights]
    highest = max(scores)
    powers = [math.exp(score - highest) for score in scores]
    total = sum(powers)
    return [power / total for power in powers]


def descend(
    weights: list[list[float]], features: list[list[float]], targets: list[int]
) -> tuple[list[list[float]], float]:
    """Takes one step down the gradient; returns the new weights and the mean loss of the old."""
    loss = 0.0
    gradient = [[WEIGHT_DECAY * w for w in row] for row in weights]
    for row, target in zip(features, targets):
        predicted = probabilities(weights, row)
        loss -= math.log(predicted[target]) / len(features)
        for species, slope in enumerate(gradient):
            error = (predicted[species] - (species == target)) / len(features)
            for position, value in enumerate(row):
                slope[position] += error * value
    moved = [
        [w - LEARNING_RATE * g for w, g in zip(row, slope)] for row, slope in zip(weights, gradient)
    ]
    return moved, loss


def main() -> None:
    features, labels = read_rows(Path("out/train.csv"))
    species = sorted(set(labels))
    targets = [species.index(label) for label in labels]
    weights = [[0.0] * len(features[0]) for _ in species]

    for step in range(1, STEPS + 1):
        weights, loss = descend(weights, features, targets)
        if step == 1 or step % 50 == 0:
            print(f"step {step:3}  loss {loss:.4f}", flush=True)

    model = {"species": species, "weights": weights}
    Path("out/model.json").write_text(json.dumps(model, indent=2) + "\n")
    print("wrote out/model.json")


if __name__ == "__main__":
    main()
