#!/usr/bin/env python3
"""Writes powers.inc: the first 128 bits of 10^k, for k from -LIMIT to LIMIT, so that
10^k = (high * 2^64 + low) * 2^(floor(k * log2(10)) - 127), cut off. Usage: powers.py > powers.inc"""

LIMIT = 330

print("/* Made by powers.py: the first 128 bits of 10^k, k from -%d to %d. */" % (LIMIT, LIMIT))
for k in range(-LIMIT, LIMIT + 1):
    if k >= 0:
        power = 10**k
        bits = power.bit_length()
        top = power >> (bits - 128) if bits > 128 else power << (128 - bits)
        exponent = bits - 1
    else:
        power = 10**-k
        scale = power.bit_length() + 127
        top = (1 << scale) // power
        if top >= 1 << 128:
            top >>= 1
            scale -= 1
        exponent = 127 - scale
    assert top.bit_length() == 128 and exponent == (k * 217706) >> 16, k
    print("{0x%016x, 0x%016x}," % (top >> 64, top & (1 << 64) - 1))
