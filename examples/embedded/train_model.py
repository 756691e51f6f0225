#!/usr/bin/env python3
"""Fits a linear regression of body mass on the seasons before 2009 and writes out/model.json.

It is ordinary least squares: the normal equations of the cleaned rows, solved by elimination. The
season of 2009 is left for validate_job.py.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path

FEATURES = ["intercept", "flipper length", "bill depth", "male", "Chinstrap", "Gentoo"]
FIRST_VALIDATION_YEAR = 2009


def read_clean_rows() -> list[dict[str, str]]:
    """Returns the cleaned rows of every CSV file here, in order of the files' names."""
    rows: list[dict[str, str]] = []
    for source in sorted(Path(".").glob("*.csv")):
        with Path("out/clean", source.name).open(newline="") as file:
            rows.extend(csv.DictReader(file))
    return rows


def features(row: dict[str, str]) -> list[float]:
    """Returns the numbers that stand for one penguin, in the order of FEATURES."""
    return [
        1.0,
        float(row["flipper_length_mm"]),
        float(row["bill_depth_mm"]),
        float(row["sex"] == "male"),
        float(row["species"] == "Chinstrap"),
        float(row["species"] == "Gentoo"),
    ]


def solve(matrix: list[list[float]], right: list[float]) -> list[float]:
    """Solves the linear equations by Gauss-Jordan elimination with partial pivoting."""
    size = len(right)
    rows = [row + [value] for row, value in zip(matrix, right)]
    for column in range(size):
        pivot = max(range(column, size), key=lambda row: abs(rows[row][column]))
        rows[column], rows[pivot] = rows[pivot], rows[column]
        for row in range(size):
            if row != column:
                factor = rows[row][column] / rows[column][column]
                rows[row] = [a - factor * b for a, b in zip(rows[row], rows[column])]
    return [rows[row][size] / rows[row][row] for row in range(size)]


def main() -> None:
    rows = [row for row in read_clean_rows() if int(row["year"]) < FIRST_VALIDATION_YEAR]
    x = [features(row) for row in rows]
    y = [float(row["body_mass_g"]) for row in rows]

    size = len(FEATURES)
    products = [[sum(row[i] * row[j] for row in x) for j in range(size)] for i in range(size)]
    right = [sum(row[i] * mass for row, mass in zip(x, y)) for i in range(size)]
    coefficients = solve(products, right)

    print(f"fitted to {len(rows)} penguins seen before {FIRST_VALIDATION_YEAR}")
    for name, coefficient in zip(FEATURES, coefficients):
        print(f"{name:<15}{coefficient:10.2f}")
    model = {"coefficients": coefficients, "mean": sum(y) / len(y)}
    Path("out/model.json").write_text(json.dumps(model, indent=2) + "\n")


if __name__ == "__main__":
    main()
