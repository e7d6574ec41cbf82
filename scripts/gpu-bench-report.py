#!/usr/bin/env python3
"""Joins the results of scripts/gpu-bench into one JSON file and one table."""

import argparse
import datetime
import json
import pathlib
import re


def ratio(rows, model, by):
    """How many times as fast Causeway takes a step of one rank as another program, or nothing."""
    seconds = {row["by"]: row["step_seconds"] for row in rows if row["model"] == model and row["ranks"] == 1}
    if by in seconds and "executor" in seconds:
        return seconds[by] / seconds["executor"]
    return None


def table(result):
    lines = [
        f"# Training steps on {result['device']}",
        "",
        f"{result['date']}, driver {result['driver']}, {result['devices']} device(s), back end {result['backend']}, "
        f"commit {result['commit']}, size {result['size']}, 32-bit floating point. Made by `scripts/gpu-bench`.",
        "",
        "| model | by | ranks | records a rank | step, ms | records a second | Causeway's speed beside it |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in result["results"]:
        beside = ratio(result["results"], row["model"], row["by"]) if row["by"] != "executor" else None
        lines.append(
            f"| {row['model']} | {row['by']} | {row['ranks']} | {row['records_per_rank']} | "
            f"{1e3 * row['step_seconds']:.2f} | {row['records_per_second']:.1f} | "
            f"{'' if beside is None else f'{beside:.2f}×'} |"
        )
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--driver", required=True)
    parser.add_argument("--commit", required=True)
    parser.add_argument("--output", required=True, type=pathlib.Path)
    parser.add_argument("causeway", type=pathlib.Path)
    parser.add_argument("pytorch", type=pathlib.Path)
    options = parser.parse_args()
    result = json.loads(options.causeway.read_text())
    pytorch = json.loads(options.pytorch.read_text())
    today = datetime.date.today().isoformat()
    result.update(date=today, driver=options.driver, commit=options.commit)
    if pytorch:
        result["pytorch"] = pytorch["version"]
        result["results"] += pytorch["results"]
    name = re.sub(r"[^a-z0-9]+", "-", result["device"].lower()).strip("-")
    stem = options.output / f"gpu-{name}-{today}"
    stem.with_suffix(".json").write_text(json.dumps(result, indent=2) + "\n")
    stem.with_suffix(".md").write_text(table(result))
    print(table(result), end="")


if __name__ == "__main__":
    main()
