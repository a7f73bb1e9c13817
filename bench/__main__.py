"""python -m bench: measure, and write bench/report.md."""

import os
import tempfile
from pathlib import Path

from bench import cold_start
from tests.engines.servers import ministack
from tests.engines.table import table_request

REPORT = Path(__file__).with_name("report.md")
TABLE = "points"

_HEAD = """# Cold start

Import and first call of a built function, against a bare `boto3.client("dynamodb")` that makes
the same calls: processor time in fresh processes that take turns ({pairs} pairs, median). Ratios
count; milliseconds are this machine's.

| function | bare, ms | ours, ms | ratio | middle half | bar |
|---|---|---|---|---|---|
"""


def main() -> None:
    """Run every case and write the report."""
    os.environ.setdefault("AWS_DEFAULT_REGION", "ap-northeast-1")
    lines = [_HEAD.format(pairs=cold_start.PAIRS)]
    with tempfile.TemporaryDirectory() as directory, ministack(Path(directory)) as url:
        _create_table(url)
        for case in cold_start.CASES:
            print(f"{case.function} ...", flush=True)
            found = cold_start.measure(case, url, TABLE)
            ratios = sorted(found.ratios)
            quarter = len(ratios) // 4
            lines.append(
                f"| {case.function} | {found.bare_ms:.0f} | {found.ours_ms:.0f} "
                f"| {found.ratio:.2f} | {ratios[quarter]:.2f} to {ratios[-quarter - 1]:.2f} "
                f"| {case.at_most:.2f} |\n"
            )
    REPORT.write_text("".join(lines), encoding="utf-8")
    print("".join(lines))


def _create_table(url: str) -> None:
    import boto3  # noqa: PLC0415 - after the region is known

    client = boto3.client(
        "dynamodb",
        endpoint_url=url,
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 - opens nothing
    )
    client.create_table(**table_request(TABLE))


if __name__ == "__main__":
    main()
