#!/usr/bin/env python3
"""Writes casemap.inc: what Java's String.toLowerCase(Locale.ROOT) and toUpperCase(Locale.ROOT) make of
each single UTF-16 unit whose two results differ, as UTF-8. Usage: casemap.py > casemap.inc

Python's str.lower() and str.upper() are the same full mappings of the Unicode Character Database and
SpecialCasing.txt; a lone sigma is never final."""
import unicodedata


def c_string(text):
    return '"' + "".join("\\x%02x" % byte for byte in text.encode("utf-8")) + '"'


print("/* Made by casemap.py from Unicode %s: unit, lower, upper; ascending. */" % unicodedata.unidata_version)
for unit in range(0x80, 0x10000):
    if 0xD800 <= unit <= 0xDFFF:
        continue
    lower, upper = chr(unit).lower(), chr(unit).upper()
    if lower == upper:
        if lower != chr(unit):
            raise SystemExit("U+%04X changes, but has one form" % unit)
        continue
    a, b = lower.encode("utf-8"), upper.encode("utf-8")
    # casemap.h promises this: so at most one form fits at a place, from either end.
    if a.startswith(b) or b.startswith(a) or a.endswith(b) or b.endswith(a):
        raise SystemExit("U+%04X: one form is the beginning or the end of the other" % unit)
    print("{0x%04x, %s, %s}," % (unit, c_string(lower), c_string(upper)))
