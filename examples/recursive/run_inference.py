#!/usr/bin/env python3
"""Tells the species of each penguin in FILE.csv by its bill; writes out/FILE.predictions.csv.

The model is a vote of the five nearest neighbours among the penguins of ../data/penguins.csv that
were seen before 2009. The files here are of 2009, so the model knows none of their penguins.
"""

from __future__ import annotations

import csv
import math
import statistics
import sys
from pathlib import Path

REFERENCE = Path("../data/penguins.csv")
FIRST_UNSEEN_YEAR = 2009
NEIGHBOURS = 5


def read_rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def bill(row: dict[str, str]) -> tuple[float, float] | None:
    """Returns length and depth of the bill in millimetres, or None where they are missing."""
    if row["bill_length_mm"] == "NA" or row["bill_depth_mm"] == "NA":
        return None
    return float(row["bill_length_mm"]), float(row["bill_depth_mm"])


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit("usage: run_inference.py FILE.csv")
    source = Path(sys.argv[1])

    known: list[tuple[float, float, str]] = []
    for row in read_rows(REFERENCE):
        size = bill(row)
        if size is not None and int(row["year"]) < FIRST_UNSEEN_YEAR:
            known.append((*size, row["species"]))
    # Bills differ far more in length than in depth: each counts in units of its own spread.
    length_unit = statistics.stdev(length for length, _, _ in known)
    depth_unit = statistics.stdev(depth for _, depth, _ in known)

    def predict(length: float, depth: float) -> str:
        def distance(other: tuple[float, float, str]) -> float:
            return math.hypot((other[0] - length) / length_unit, (other[1] - depth) / depth_unit)

        nearest = sorted(known, key=distance)[:NEIGHBOURS]
        return statistics.mode(species for _, _, species in nearest)

    bills = [bill(row) for row in read_rows(source)]
    predictions = ["NA" if size is None else predict(*size) for size in bills]
    out = Path("out")
    out.mkdir(exist_ok=True)
    with (out / f"{source.stem}.predictions.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["species"]] + [[species] for species in predictions])
    print(f"{source}: {len(predictions)} penguins, {predictions.count('NA')} not measured")


if __name__ == "__main__":
    main()
