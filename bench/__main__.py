"""python -m bench: measure, and write bench/report.md."""

import os
import tempfile
from pathlib import Path

from bench import cold_start, my_page
from bench.services import running_services

REPORT = Path(__file__).with_name("report.md")

_HEAD = """# Cold start

Import and first call of a built function, against bare boto3 clients that make the same calls:
processor time in fresh processes that take turns ({pairs} pairs, median). Ratios count;
milliseconds are this machine's.

| function | bare, ms | ours, ms | ratio | middle half | bar |
|---|---|---|---|---|---|
"""


def main() -> None:
    """Run every case and write the report."""
    os.environ.setdefault("AWS_DEFAULT_REGION", "ap-northeast-1")
    lines = [_HEAD.format(pairs=cold_start.PAIRS)]
    with tempfile.TemporaryDirectory() as directory, running_services(Path(directory)) as services:
        for case in cold_start.CASES:
            print(f"{case.function} ...", flush=True)
            result = cold_start.measure(case, services)
            ratios = sorted(result.ratios)
            quarter = len(ratios) // 4
            lines.append(
                f"| {case.function} | {result.bare_ms:.0f} | {result.ours_ms:.0f} "
                f"| {result.ratio:.2f} | {ratios[quarter]:.2f} to {ratios[-quarter - 1]:.2f} "
                f"| {case.at_most:.2f} |\n"
            )
        print("get_points with a slow till ...", flush=True)
        lines.append(my_page.report(my_page.measure(services)))
    REPORT.write_text("".join(lines), encoding="utf-8")
    print("".join(lines))


if __name__ == "__main__":
    main()
