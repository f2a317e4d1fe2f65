"""Peers of the ledger benchmark: makes the readings, and rolls them up as others do.

`make FILE METERS DAYS ODDITIES` writes a Parquet file of one-minute readings (meter, at, value).
`duckdb|polars|pandas FILE OUT` does the plain part of the work: the register at each quarter of an
hour, its differences, and their sums over hours, days and the month. It prints the seconds that
reading and computing took and the peak memory, and writes the quarters to OUT when one is named.
"""

import resource
import sys
import time

QUARTER_MS = 900_000
MINUTE_MS = 60_000
START_MS = 1_767_196_800_000  # 2026-01-01 00:00 in Shanghai
ZONE_MS = 8 * 3_600_000


def make(file, meters, days, oddities):
    """Registers in Wh as doubles, in order of arrival, every tenth block shuffled."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    minutes = days * 1440
    rng = np.random.default_rng(20_261_001)
    names = pa.array([f"m{n:04d}" for n in range(meters)])
    start = rng.integers(1_000_000, 900_000_000, meters)
    scale = rng.integers(5, 400, meters)
    registers = start.copy()
    # The registers with few digits pass their modulus on the way.
    modulus = np.where(np.arange(meters) % 10 == 3, 10_000_000, 1_000_000_000_000)
    if oddities:
        registers = np.where(modulus == 10_000_000, 9_000_000 + start % 900_000, registers)
    schema = pa.schema(
        [("meter", pa.dictionary(pa.int16(), pa.string())), ("at", pa.int64()), ("value", pa.float64())]
    )
    with pq.ParquetWriter(file, schema, compression="snappy") as writer:
        block = 60
        for first in range(0, minutes + 1, block):
            count = min(block, minutes + 1 - first)
            steps = rng.integers(0, 40, (count, meters)) * scale[None, :] // 10 + scale[None, :]
            values = registers[None, :] + np.cumsum(steps, axis=0) - steps
            registers = registers + steps.sum(axis=0)
            at = START_MS + (first + np.arange(count)) * MINUTE_MS
            index = np.tile(np.arange(meters, dtype=np.int16), count)
            ats = np.repeat(at, meters)
            shown = values.reshape(-1)
            if oddities:
                shown = shown % modulus[index]
                keep = rng.random(len(index)) > 0.01
                # Outages of two and of thirty hours.
                hour = first // 60
                for every, length, of in ((97, 2, 7), (311, 30, 50)):
                    if hour % every < length:
                        keep &= index % of != (hour // every) % of
                blip = (rng.random(len(index)) < 1e-5) & keep
                shown = np.where(blip, 0, shown)
                again = (rng.random(len(index)) < 0.01) & keep
                index, ats, shown = (
                    np.concatenate([column[keep], column[again]]) for column in (index, ats, shown)
                )
            if (first // block) % 10 == 0:
                order = rng.permutation(len(index))
                index, ats, shown = index[order], ats[order], shown[order]
            meter = pa.DictionaryArray.from_arrays(pa.array(index), names)
            writer.write_table(
                pa.table([meter, pa.array(ats), pa.array(shown.astype("float64"))], schema=schema)
            )


def with_duckdb(file, out):
    import duckdb

    connection = duckdb.connect()
    connection.execute("SET threads = 2")
    connection.execute(
        f"""CREATE TABLE quarters AS
        WITH edges AS (
            SELECT meter, "at" // {QUARTER_MS} AS quarter, arg_min(value, "at") AS register
            FROM read_parquet('{file}') GROUP BY ALL),
        rises AS (
            SELECT meter, quarter,
                   lead(register) OVER (PARTITION BY meter ORDER BY quarter) - register AS wh
            FROM edges)
        SELECT meter, quarter * {QUARTER_MS} AS start, CAST(wh AS BIGINT) AS wh
        FROM rises WHERE wh IS NOT NULL"""
    )
    for name, ms in (("hours", 3_600_000), ("days", 86_400_000)):
        connection.execute(
            f"""CREATE TABLE {name} AS SELECT meter, (start + {ZONE_MS}) // {ms} AS period,
            sum(wh) AS wh FROM quarters GROUP BY ALL"""
        )
    connection.execute("CREATE TABLE months AS SELECT meter, sum(wh) AS wh FROM quarters GROUP BY ALL")
    total = connection.execute("SELECT sum(wh) FROM months").fetchone()[0]
    if out:
        connection.execute(f"COPY (SELECT * FROM quarters ORDER BY ALL) TO '{out}' (HEADER)")
    return total


def with_polars(file, out):
    import polars as pl

    edges = (
        pl.scan_parquet(file)
        .with_columns(quarter=pl.col("at") // QUARTER_MS)
        .group_by("meter", "quarter")
        .agg(pl.col("value").get(pl.col("at").arg_min()).alias("register"))
        .sort("meter", "quarter")
        .with_columns(wh=pl.col("register").shift(-1).over("meter") - pl.col("register"))
        .drop_nulls("wh")
        .select("meter", start=pl.col("quarter") * QUARTER_MS, wh=pl.col("wh").cast(pl.Int64))
        .collect()
    )
    for ms in (3_600_000, 86_400_000):
        edges.group_by("meter", (pl.col("start") + ZONE_MS) // ms).agg(pl.col("wh").sum())
    months = edges.group_by("meter").agg(pl.col("wh").sum())
    if out:
        edges.sort("meter", "start").write_csv(out)
    return months["wh"].sum()


def with_pandas(file, out):
    import pandas as pd

    frame = pd.read_parquet(file)
    frame["quarter"] = frame["at"] // QUARTER_MS
    frame = frame.sort_values(["meter", "at"])
    edges = frame.groupby(["meter", "quarter"], observed=True)["value"].first().reset_index()
    edges["wh"] = edges.groupby("meter", observed=True)["value"].shift(-1) - edges["value"]
    edges = edges.dropna(subset=["wh"])
    quarters = pd.DataFrame(
        {"meter": edges["meter"], "start": edges["quarter"] * QUARTER_MS, "wh": edges["wh"].astype("int64")}
    )
    for ms in (3_600_000, 86_400_000):
        quarters.groupby(["meter", (quarters["start"] + ZONE_MS) // ms], observed=True)["wh"].sum()
    months = quarters.groupby("meter", observed=True)["wh"].sum()
    if out:
        quarters.sort_values(["meter", "start"]).to_csv(out, index=False)
    return int(months.sum())


def main(arguments):
    what, file, *rest = arguments
    if what == "make":
        make(file, int(rest[0]), int(rest[1]), rest[2] == "odd")
        return
    peer = {"duckdb": with_duckdb, "polars": with_polars, "pandas": with_pandas}[what]
    __import__(what)
    begun = time.perf_counter()
    total = peer(file, rest[0] if rest else None)
    seconds = time.perf_counter() - begun
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"seconds {seconds:.3f} peak_mb {peak_mb:.0f} total_wh {int(total)}")


if __name__ == "__main__":
    main(sys.argv[1:])
