#!/usr/bin/env python3
"""Turns ../data/penguins.csv into out/train.csv and out/test.csv.

Rows without measurements are dropped, the rest is shuffled with a fixed seed, one row in four is
set aside for testing, and every measurement is scaled to mean 0 and standard deviation 1. The
scale is that of the training rows alone, so that the test rows stay unseen.
"""

from __future__ import annotations

import csv
import random
import statistics
from pathlib import Path

SOURCE = Path("../data/penguins.csv")
MEASUREMENTS = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]
SEED = 0
TEST_SHARE = 0.25


def read_complete(path: Path) -> tuple[list[dict[str, str]], int]:
    """Returns the rows that have every measurement, and how many had not."""
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    complete = [row for row in rows if all(row[name] != "NA" for name in MEASUREMENTS)]
    return complete, len(rows) - len(complete)


def write_scaled(
    path: Path, rows: list[dict[str, str]], means: list[float], deviations: list[float]
) -> None:
    """Writes the scaled measurements of each row, and its species."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(MEASUREMENTS + ["species"])
        for row in rows:
            scaled = [
                (float(row[name]) - mean) / deviation
                for name, mean, deviation in zip(MEASUREMENTS, means, deviations)
            ]
            writer.writerow(scaled + [row["species"]])


def main() -> None:
    rows, dropped = read_complete(SOURCE)
    print(f"{len(rows)} penguins read, {dropped} without measurements dropped")

    random.Random(SEED).shuffle(rows)
    cut = round(len(rows) * TEST_SHARE)
    test, train = rows[:cut], rows[cut:]

    columns = [[float(row[name]) for row in train] for name in MEASUREMENTS]
    means = [statistics.mean(column) for column in columns]
    deviations = [statistics.stdev(column) for column in columns]
    for name, mean, deviation in zip(MEASUREMENTS, means, deviations):
        print(f"{name:<18} mean {mean:8.2f}  deviation {deviation:7.2f}")

    out = Path("out")
    out.mkdir(exist_ok=True)
    write_scaled(out / "train.csv", train, means, deviations)
    write_scaled(out / "test.csv", test, means, deviations)
    print(f"{len(train)} for training, {len(test)} for testing")


if __name__ == "__main__":
    main()
