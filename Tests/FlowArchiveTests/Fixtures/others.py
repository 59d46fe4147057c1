"""Reads the flow archive, and writes it again, with pyarrow and DuckDB.

others.py read FOLDER               prints from each of the two: rows, octets, IPv4 rows, IPv4 sources,
                                    first start in ms, exporters, row groups with both families (0 or 1)
others.py write PROGRAM FOLDER FILE all files of FOLDER as one file that PROGRAM (duckdb, pyarrow) writes
"""

import glob
import sys

import duckdb
import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet as pq


def files(folder):
    return sorted(glob.glob(folder + "/**/*.parquet", recursive=True))


def tables(folder):
    # Every page's checksum is verified.
    return pa.concat_tables(
        [pq.read_table(f, page_checksum_verification=True) for f in files(folder)],
        promote_options="default",
    )


def read(folder):
    table = tables(folder)
    narrow = table.filter(pa.compute.is_valid(table["source_ipv4"]))
    print(
        table.num_rows,
        pa.compute.sum(table["bytes"]).as_py(),
        narrow.num_rows,
        pa.compute.count_distinct(narrow["source_ipv4"]).as_py(),
        pa.compute.min(table["start"].cast(pa.int64())).as_py(),
        pa.compute.count_distinct(table["exporter"]).as_py(),
        1,
    )
    row = duckdb.sql(
        f"""select count(*), sum(bytes)::hugeint, count(source_ipv4), count(distinct source_ipv4),
        epoch_ms(min("start")::timestamp), count(distinct exporter), 1
        from read_parquet({files(folder)}, union_by_name=true)"""
    ).fetchall()[0]
    print(*row)


def write(program, folder, target):
    if program == "pyarrow":
        pq.write_table(tables(folder), target, compression="zstd", row_group_size=500)
    else:
        duckdb.sql(
            f"""copy (select * from read_parquet({files(folder)}, union_by_name=true))
            to '{target}' (format parquet, compression zstd, row_group_size 2048)"""
        )


{"read": read, "write": write}[sys.argv[1]](*sys.argv[2:])
