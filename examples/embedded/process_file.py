#!/usr/bin/env python3
"""Cleans one CSV file: writes its rows without missing values to out/clean/FILE.csv."""

from __future__ import annotations

import csv
import sys
from pathlib import Path


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit("usage: process_file.py FILE.csv")
    source = Path(sys.argv[1])
    with source.open(newline="") as file:
        header, *rows = csv.reader(file)
    complete = [row for row in rows if "NA" not in row]

    clean = Path("out/clean")
    clean.mkdir(parents=True, exist_ok=True)
    with (clean / source.name).open("w", newline="") as file:
        csv.writer(file).writerows([header] + complete)
    print(f"{source}: kept {len(complete)} of {len(rows)} rows")


if __name__ == "__main__":
    main()
