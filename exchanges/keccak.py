"""Keccak-256 as Ethereum uses it, which the standard library does not have.

Source: keccak.team, The Keccak reference, 3.0. Padding is the original 0x01, not that of SHA-3.
"""

from __future__ import annotations

LANES = 25
ROUNDS = 24
RATE = 136
MASK = (1 << 64) - 1


def _constants() -> list[int]:
    """Return the round constants: bits of a linear feedback shift register."""
    constants, state = [], 1
    for _ in range(ROUNDS):
        constant = 0
        for power in range(7):
            if state & 1:
                constant |= 1 << ((1 << power) - 1)
            state = (state << 1) ^ (0x171 if state & 0x80 else 0)
        constants.append(constant)
    return constants


def _moves() -> list[tuple[int, int, int]]:
    """Return (to, from, left turn) of each lane: the steps rho and pi in one."""
    moves, x, y = [(0, 0, 0)], 1, 0
    for step in range(LANES - 1):
        source, turn = x + 5 * y, (step + 1) * (step + 2) // 2 % 64
        x, y = y, (2 * x + 3 * y) % 5
        moves.append((x + 5 * y, source, turn))
    return [(source, turn, 64 - turn) for _, source, turn in sorted(moves)]


CONSTANTS, MOVES = _constants(), _moves()


def keccak256(data: bytes) -> bytes:
    """Return the 32-byte digest."""
    padded = bytearray(data) + bytearray(RATE - len(data) % RATE)
    padded[len(data)] ^= 0x01
    padded[-1] ^= 0x80
    state = [0] * LANES
    for start in range(0, len(padded), RATE):
        for lane in range(RATE // 8):
            at = start + lane * 8
            state[lane] ^= int.from_bytes(padded[at : at + 8], "little")
        state = _permuted(state)
    return b"".join(lane.to_bytes(8, "little") for lane in state[:4])


def _permuted(a: list[int]) -> list[int]:
    for constant in CONSTANTS:
        c0, c1, c2, c3, c4 = [a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20] for x in range(5)]
        d = [
            c4 ^ ((c1 << 1 | c1 >> 63) & MASK),
            c0 ^ ((c2 << 1 | c2 >> 63) & MASK),
            c1 ^ ((c3 << 1 | c3 >> 63) & MASK),
            c2 ^ ((c4 << 1 | c4 >> 63) & MASK),
            c3 ^ ((c0 << 1 | c0 >> 63) & MASK),
        ] * 5
        a = [lane ^ turned for lane, turned in zip(a, d, strict=True)]
        b = [(a[lane] << left | a[lane] >> right) & MASK for lane, left, right in MOVES]
        a = [
            lane
            for y in (0, 5, 10, 15, 20)
            for lane in (
                b[y] ^ (~b[y + 1] & b[y + 2]),
                b[y + 1] ^ (~b[y + 2] & b[y + 3]),
                b[y + 2] ^ (~b[y + 3] & b[y + 4]),
                b[y + 3] ^ (~b[y + 4] & b[y]),
                b[y + 4] ^ (~b[y] & b[y + 1]),
            )
        ]
        a[0] ^= constant
    return a
