#!/usr/bin/env python3
"""Tries out/model.json on out/test.csv: prints the confusion matrix and, last, the accuracy."""

from __future__ import annotations

import json
from pathlib import Path

from train_model import probabilities, read_rows


def main() -> None:
    model = json.loads(Path("out/model.json").read_text())
    species: list[str] = model["species"]
    features, labels = read_rows(Path("out/test.csv"))

    confusion = {actual: dict.fromkeys(species, 0) for actual in species}
    for row, actual in zip(features, labels):
        chances = probabilities(model["weights"], row)
        predicted = species[chances.index(max(chances))]
        confusion[actual][predicted] += 1

    print("rows: actual species, columns: predicted species")
    print(" " * 11 + "".join(f"{name:>11}" for name in species))
    for actual in species:
        print(f"{actual:<11}" + "".join(f"{confusion[actual][name]:>11}" for name in species))

    commonest = max(labels.count(name) for name in species)
    print(f"always guessing the commonest species: {commonest / len(labels):.3f}")
    correct = sum(confusion[name][name] for name in species)
    print(f"accuracy: {correct / len(labels):.3f} ({correct} of {len(labels)} test penguins)")


if __name__ == "__main__":
    main()
