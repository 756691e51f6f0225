#!/usr/bin/env python3
"""Predicts the body mass of the penguins of 2009 with out/model.json and prints how far off it is."""

from __future__ import annotations

import json
from pathlib import Path

from train_model import FIRST_VALIDATION_YEAR, features, read_clean_rows


def main() -> None:
    model = json.loads(Path("out/model.json").read_text())
    rows = [row for row in read_clean_rows() if int(row["year"]) >= FIRST_VALIDATION_YEAR]
    masses = [float(row["body_mass_g"]) for row in rows]
    predictions = [
        sum(c * x for c, x in zip(model["coefficients"], features(row))) for row in rows
    ]

    error = sum(abs(p - mass) for p, mass in zip(predictions, masses)) / len(rows)
    plain_error = sum(abs(model["mean"] - mass) for mass in masses) / len(rows)
    mean = sum(masses) / len(masses)
    unexplained = sum((p - mass) ** 2 for p, mass in zip(predictions, masses))
    variation = sum((mass - mean) ** 2 for mass in masses)

    print(f"{len(rows)} penguins of {FIRST_VALIDATION_YEAR}, unseen in training")
    print(f"always guessing the mean: {plain_error:.0f} g off on average")
    print(f"the model: {error:.0f} g off on average, R2 {1 - unexplained / variation:.3f}")


if __name__ == "__main__":
    main()
