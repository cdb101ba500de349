"""Reads a QR code (ISO/IEC 18004) from a clean picture, as a telephone does: versions 1 to 9 in
byte mode at the weakest correction; errors are not corrected. Shares no code with what drew
it."""

# blocks, bytes of each
DATA = {1: (1, 19), 2: (1, 34), 3: (1, 55), 4: (1, 80), 5: (1, 108), 6: (2, 68), 7: (2, 78), 8: (2, 97), 9: (2, 116)}
ALIGNED = {1: [], 2: [6, 18], 3: [6, 22], 4: [6, 26], 5: [6, 30], 6: [6, 34], 7: [6, 22, 38], 8: [6, 24, 42], 9: [6, 26, 46]}
MASKS = [lambda y, x: (y + x) % 2, lambda y, x: y % 2, lambda y, x: x % 3, lambda y, x: (y + x) % 3, lambda y, x: (y // 2 + x // 3) % 2,
         lambda y, x: y * x % 2 + y * x % 3, lambda y, x: (y * x % 2 + y * x % 3) % 2, lambda y, x: ((y + x) % 2 + y * x % 3) % 2]


def fixed(side, version):
    """The modules that carry no data."""
    out = {(y, x) for y in range(side) for x in range(side) if (y < 9 and (x < 9 or x >= side - 8)) or (y >= side - 8 and x < 9) or y == 6 or x == 6}
    at, last = ALIGNED[version], side - 7
    for cy in at:
        for cx in at:
            if (cy, cx) not in ((6, 6), (6, last), (last, 6)):
                out |= {(y, x) for y in range(cy - 2, cy + 3) for x in range(cx - 2, cx + 3)}
    if version >= 7:
        out |= {(y, x) for a in range(6) for b in range(side - 11, side - 8) for y, x in ((a, b), (b, a))}
    return out


def read(rows):
    """The text. `rows`: of '0' and '1', without the border."""
    side, m = len(rows), [[c == "1" for c in r] for r in rows]
    version = (side - 17) // 4
    assert side == 4 * version + 17 and all(len(r) == side for r in rows), "no square of a QR code: %d" % side
    form = int("".join(str(int(m[8][x])) for x in (0, 1, 2, 3, 4, 5, 7)), 2) ^ 0b1010100
    assert form >> 5 == 1, "another correction than L"
    mask, taken, bits, up = MASKS[form >> 2 & 7], fixed(side, version), [], True
    for right in [x for x in range(side - 1, 6, -2)] + [5, 3, 1]:
        for y in range(side - 1, -1, -1) if up else range(side):
            bits += [m[y][x] ^ (mask(y, x) == 0) for x in (right, right - 1) if (y, x) not in taken]
        up = not up
    blocks, each = DATA[version]
    words = [int("".join(str(int(b)) for b in bits[8 * i:8 * i + 8]), 2) for i in range(blocks * each)]
    data = bytes(words[i * blocks + b] for b in range(blocks) for i in range(each))
    stream = "".join("%08d" % int(bin(w)[2:]) for w in data)
    assert stream[:4] == "0100", "another mode than bytes"
    n = int(stream[4:12], 2)
    return bytes(int(stream[12 + 8 * i:20 + 8 * i], 2) for i in range(n)).decode()


def of_terminal(lines):
    """Rows of half blocks, in which light modules are drawn, with a border of four."""
    rows = []
    for line in lines:
        rows.append("".join("0" if c in "▀█" else "1" for c in line))
        rows.append("".join("0" if c in "▄█" else "1" for c in line))
    return [r[4:-4] for r in rows[4:-4 - (len(rows) - len(rows[0]))]]
