"""Reads our files and writes files for us with pyarrow and DuckDB.

others.py read FILE ROWS ...   every value must be that of the formulas below, in both
others.py write FOLDER ROWS    the same table, in the layouts that these programs write
others.py prune FILE           DuckDB must not read the damaged first row group of FILE
"""

import datetime
import struct
import sys

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

MASK = (1 << 64) - 1


def signed(value, bits):
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def null(column, i):
    return None if i % 5 == 0 else column(i)


U64 = lambda i: (i * 0x9E3779B97F4A7C15) & MASK
U32 = lambda i: (i * 2654435761) & 0xFFFFFFFF
NANOS = lambda i: 1_700_000_000_000_000_000 + i * 1_000_000 + (i % 7) * 1_000
TEXT = lambda i: f"狼煙-{i % 50}"
F64 = lambda i: i * 0.1 - 7

COLUMNS = {
    "flag": (pa.bool_(), lambda i: i % 3 == 0),
    "u8": (pa.uint8(), lambda i: (i * 7) & 0xFF),
    "i8": (pa.int8(), lambda i: signed(i * 7, 8)),
    "u16": (pa.uint16(), lambda i: (i * 31) & 0xFFFF),
    "i16": (pa.int16(), lambda i: signed(i * 31, 16)),
    "u32": (pa.uint32(), U32),
    "i32": (pa.int32(), lambda i: signed(U32(i), 32)),
    "u64": (pa.uint64(), U64),
    "i64": (pa.int64(), lambda i: signed(U64(i), 64)),
    "f32": (pa.float32(), lambda i: i * 0.25 - 100),
    "f64": (pa.float64(), F64),
    "nanos": (pa.timestamp("ns", "UTC"), NANOS),
    "micros": (pa.timestamp("us", "UTC"), lambda i: NANOS(i) // 1_000),
    "date": (pa.date32(), lambda i: 19_000 + i % 400),
    "text": (pa.string(), TEXT),
    "line": (pa.string(), lambda i: f"row {i * i}"),
    "blob": (pa.binary(), lambda i: bytes([i & 0xFF]) * (i % 20)),
    "fixed": (pa.binary(6), lambda i: struct.pack(">Q", i)[2:]),
    "o_u32": (pa.uint32(), lambda i: null(U32, i)),
    "o_text": (pa.string(), lambda i: null(TEXT, i)),
    "o_nanos": (pa.timestamp("ns", "UTC"), lambda i: null(NANOS, i)),
    "o_f64": (pa.float64(), lambda i: null(F64, i)),
    "o_flag": (pa.bool_(), lambda i: null(lambda i: i % 3 == 0, i)),
    "o_fixed": (pa.binary(6), lambda i: null(lambda i: struct.pack(">Q", i)[2:], i)),
    "o_none": (pa.int32(), lambda i: None),
}


def raw(kind):
    """The integer type behind a time stamp or date."""
    if pa.types.is_timestamp(kind):
        return pa.int64()
    return pa.int32() if pa.types.is_date(kind) else kind


def table(rows):
    return pa.table(
        {
            name: pa.array([value(i) for i in range(rows)], raw(kind)).cast(kind)
            for name, (kind, value) in COLUMNS.items()
        },
        schema=pa.schema(
            [pa.field(n, k, nullable=n.startswith("o_")) for n, (k, _) in COLUMNS.items()]
        ),
    )


def read(path, rows):
    file = pq.ParquetFile(path)
    found = file.read()
    file.close()
    assert found.schema.names == list(COLUMNS), found.schema.names
    for name, (kind, value) in COLUMNS.items():
        column = found.column(name)
        assert column.type == kind, (name, column.type)
        assert column.cast(raw(kind)).to_pylist() == [value(i) for i in range(rows)], name
        assert found.schema.field(name).nullable == name.startswith("o_"), name
    with pq.ParquetFile(path) as file:
        assert file.metadata.metadata[b"sensor"] == "東京".encode()
        for group in range(file.metadata.num_row_groups):
            for index, (name, (kind, value)) in enumerate(COLUMNS.items()):
                statistics = file.metadata.row_group(group).column(index).statistics
                assert statistics is not None, name
                first = sum(file.metadata.row_group(g).num_rows for g in range(group))
                size = file.metadata.row_group(group).num_rows
                values = [value(i) for i in range(first, first + size)]
                assert statistics.null_count == values.count(None), name
                values = [v for v in values if v is not None]
                if values:
                    assert statistics.has_min_max, name
                    low, high = statistics.min_raw, statistics.max_raw
                    if isinstance(values[0], str):
                        values = [v.encode() for v in values]
                        low, high = (v if isinstance(v, bytes) else v.encode() for v in (low, high))
                    if name[:1] == "u" or name == "o_u32":
                        bits = 64 if name == "u64" else 32
                        low, high = low % (1 << bits), high % (1 << bits)
                    assert (low, high) == (min(values), max(values)), (name, low, high)

    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    for name, (kind, value) in COLUMNS.items():
        expression = f'"{name}"'
        if pa.types.is_timestamp(kind):
            expression = f'epoch_ns("{name}")'
        found = [
            r[0] for r in connection.execute(f"SELECT {expression} FROM read_parquet(?)", [path]).fetchall()
        ]
        expected = [value(i) for i in range(rows)]
        if name == "micros":
            expected = [v * 1_000 for v in expected]
        if pa.types.is_date(kind):
            day = datetime.date(1970, 1, 1)
            expected = [day + datetime.timedelta(v) for v in expected]
        assert found == expected, (name, found[:5], expected[:5])


def write(folder, rows):
    data = table(rows)
    plain = {"use_dictionary": False}
    delta = [n for n, (k, _) in COLUMNS.items() if pa.types.is_integer(raw(k))]
    strings = [n for n in ("text", "line", "blob", "o_text")]
    layouts = {
        "default-zstd": {"compression": "zstd"},
        "none": {"compression": "none"},
        "v2": {"compression": "zstd", "data_page_version": "2.0"},
        "v2-none-plain": {"compression": "none", "data_page_version": "2.0", **plain},
        "plain": {"compression": "zstd", **plain},
        "groups": {"compression": "zstd", "row_group_size": max(1, rows // 3)},
        "small-pages": {"compression": "zstd", "data_page_size": 512, "write_batch_size": 64},
        "fallback": {"compression": "zstd", "dictionary_pagesize_limit": 200, "data_page_size": 512,
                     "write_batch_size": 64},
        "delta": {
            "compression": "zstd", **plain,
            "column_encoding": {n: "DELTA_BINARY_PACKED" for n in delta
                                if COLUMNS[n][0] not in (pa.uint8(), None)}
            | {n: "DELTA_LENGTH_BYTE_ARRAY" for n in strings}
            | {"fixed": "DELTA_BYTE_ARRAY", "f32": "BYTE_STREAM_SPLIT", "f64": "BYTE_STREAM_SPLIT"},
        },
        "delta-v2": {
            "compression": "none", **plain, "data_page_version": "2.0",
            "column_encoding": {n: "DELTA_BYTE_ARRAY" for n in strings} | {"flag": "RLE"},
        },
    }
    for name, options in layouts.items():
        pq.write_table(data, f"{folder}/arrow-{name}.parquet", **options)
    connection = duckdb.connect()
    connection.register("data", data)
    connection.execute(f"COPY data TO '{folder}/duckdb-zstd.parquet' (FORMAT parquet, COMPRESSION zstd)")
    connection.execute(
        f"COPY data TO '{folder}/duckdb-v2.parquet' "
        "(FORMAT parquet, COMPRESSION uncompressed, PARQUET_VERSION v2)"
    )
    pq.write_table(
        pa.table({
            "before": pa.array([1, 2]),
            "nested": pa.array([[1], [2, 3]]),
            "pair": pa.array([{"a": 1, "b": 2}, {"a": 3, "b": 4}]),
            "after": pa.array([8, 9]),
        }),
        f"{folder}/nested.parquet", compression="zstd",
    )


def prune(path):
    connection = duckdb.connect()
    query = "SELECT count(*), sum(value) FROM read_parquet(?) WHERE value >= ?"
    assert connection.execute(query, [path, 1_000]).fetchone() == (1_000, sum(range(1_000, 2_000)))
    try:
        connection.execute(query, [path, 0]).fetchone()
    except duckdb.Error:
        return
    raise AssertionError("the damaged row group was readable")


if __name__ == "__main__":
    mode, path, *rest = sys.argv[1:]
    if mode == "read":
        files = [path, *rest]
        for file, rows in zip(files[::2], files[1::2]):
            try:
                read(file, int(rows))
            except Exception as error:
                raise AssertionError(file) from error
    elif mode == "write":
        write(path, int(rest[0]))
    else:
        prune(path)
    print("ok")
