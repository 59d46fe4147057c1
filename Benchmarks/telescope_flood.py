#!/usr/bin/env python3
"""A flood of forged sources on a telescope, as a pcap on standard output.

Every forged packet comes from another source (a bijection of the packet's number), as on NICTER's worst
day, 2020-03-11, with 70 million sources. Between them: one victim of a randomly spoofed SYN flood, whose
SYN-ACKs reach the telescope, and fifty Mirai bots. What is true is printed to standard error.

    telescope_flood.py 70000000 | noroshi telescope read - --dark 198.18.0.0/15
"""
import json
import sys

import numpy as np

DARK = 0xC6120000  # 198.18.0.0/15
CHUNK = 1_000_000
VICTIM = 0xC0000201  # 192.0.2.1: what it answers is backscatter
RECORD = 16 + 54


def main():
    total = int(sys.argv[1])
    seconds = int(sys.argv[2]) if len(sys.argv) > 2 else 3600
    rng = np.random.default_rng(70)
    out = sys.stdout.buffer
    out.write(np.array([0xA1B2C3D4, 0x00040002, 0, 0, 65535, 1], "<u4").tobytes())
    start = 1_700_000_400
    victim_packets = bot_packets = 0
    sources = 0
    for first in range(0, total, CHUNK):
        n = min(CHUNK, total - first)
        index = np.arange(first, first + n, dtype=np.uint64)
        packets = np.zeros((n, RECORD), np.uint8)
        words = packets.view()

        def be32(offset, values):
            packets[:, offset : offset + 4] = (
                values.astype(">u4").view(np.uint8).reshape(n, 4)
            )

        def be16(offset, values):
            packets[:, offset : offset + 2] = (
                values.astype(">u2").view(np.uint8).reshape(n, 2)
            )

        micro = index * np.uint64(seconds * 1_000_000) // np.uint64(total)
        for offset, values in (
            (0, start + micro // np.uint64(1_000_000)),
            (4, micro % np.uint64(1_000_000)),
            (8, np.full(n, 54)),
            (12, np.full(n, 54)),
        ):
            packets[:, offset : offset + 4] = (
                values.astype("<u4").view(np.uint8).reshape(n, 4)
            )
        packets[:, 16 + 12] = 8
        packets[:, 30] = 0x45
        packets[:, 33] = 40
        packets[:, 38] = rng.integers(30, 250, n)
        packets[:, 39] = 6
        # An odd factor makes the multiplication a bijection of 32 bits: no source comes twice.
        source = (index * np.uint64(2654435761) % np.uint64(1 << 32)).astype(np.uint32)
        dark = (DARK | rng.integers(0, 1 << 17, n)).astype(np.uint32)
        port = rng.integers(1, 65536, n).astype(np.uint16)
        sequence = rng.integers(0, 1 << 32, n, dtype=np.uint64).astype(np.uint32)
        flags = np.full(n, 2, np.uint8)
        source_port = rng.integers(1024, 65536, n).astype(np.uint16)
        victim = index % np.uint64(2000) == 7
        source[victim] = VICTIM
        flags[victim] = 0x12
        source_port[victim] = 443
        bot = index % np.uint64(5000) == 11
        source[bot] = 0x14010100 + (index[bot] // np.uint64(5000) % np.uint64(50)).astype(np.uint32)
        port[bot] = 23
        sequence[bot] = dark[bot]
        be32(42, source)
        be32(46, dark)
        be16(50, source_port)
        be16(52, port)
        be32(54, sequence)
        packets[:, 62] = 0x50
        packets[:, 63] = flags
        be16(64, np.full(n, 14600))
        out.write(words.tobytes())
        victim_packets += int(victim.sum())
        bot_packets += int(bot.sum())
        sources += n - int(victim.sum()) - int(bot.sum())
    print(
        json.dumps(
            {
                "packets": total,
                "forged_sources": sources,
                "victim": "192.0.2.1",
                "victim_packets": victim_packets,
                "bots": 50,
                "bot_packets": bot_packets,
            }
        ),
        file=sys.stderr,
    )


main()
