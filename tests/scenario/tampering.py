"""Changes to a journal's audit chain, by chance: in the rows through SQLite, and in the bytes of the file."""
import contextlib
import hashlib
import sqlite3
import struct

COLUMNS = ("time = time + 1", "time = time - 86400000", "event = event || 'x'", "event = ''", "incident = 'x'",
           "actor = actor || 'x'", "text = text || ' '", "text = '{}x'", "hash = randomblob(32)", "hash = zeroblob(32)")


def lines(journal):
    with contextlib.closing(sqlite3.connect(journal)) as connection:
        return connection.execute("SELECT sequence, time, event, incident, actor, text, hash"
                                  " FROM audit ORDER BY sequence").fetchall()


def run(journal, *statements):
    with contextlib.closing(sqlite3.connect(journal)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def line_hash(before, sequence, time, *texts):
    """As include/riposte/journal/journal.h words it."""
    told = before + struct.pack(">qq", sequence, time)
    for text in texts:
        told += struct.pack(">I", len(text.encode())) + text.encode()
    return hashlib.sha256(told).digest()


def cut(journal, count):
    """What retention does, long before it would: the first lines go, and a checkpoint says so."""
    kept = lines(journal)
    last, before = kept[count - 1], kept[-1]
    line = (before[0] + 1, before[1], "checkpoint", "", "", '{"cut":"%d:%s"}' % (last[0], last[6].hex()))
    with contextlib.closing(sqlite3.connect(journal)) as connection:
        connection.execute("DELETE FROM audit WHERE sequence <= ?", (last[0],))
        connection.execute("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?)", line + (line_hash(before[6], *line),))
        connection.commit()


def flip(journal, needle, chance):
    """One bit of these bytes, where they lie in the file."""
    with open(journal, "r+b") as file:
        at = file.read().index(needle) + chance.randrange(len(needle))
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ (1 << chance.randrange(7))]))


def tamper(journal, chance):
    """One change; what it was, and the first line that it broke."""
    kept = lines(journal)
    first, last = kept[0][0], kept[-1][0]
    place = chance.randint(first, last - 1)
    kind = chance.choice(("column", "bit", "gap", "swap", "renumber", "again"))
    if kind == "column":
        change = chance.choice(COLUMNS)
        run(journal, f"UPDATE audit SET {change} WHERE sequence = {place}")
    elif kind == "bit":
        change = "a bit"
        flip(journal, kept[place - first][6], chance)
    elif kind == "gap":
        change = "deleted"
        run(journal, f"DELETE FROM audit WHERE sequence = {place}")
    elif kind == "swap":
        change = "swapped with the next"
        run(journal, f"UPDATE audit SET sequence = -1 WHERE sequence = {place}",
            f"UPDATE audit SET sequence = {place} WHERE sequence = {place + 1}",
            f"UPDATE audit SET sequence = {place + 1} WHERE sequence = -1")
    elif kind == "renumber":
        change = "cut out"
        run(journal, f"DELETE FROM audit WHERE sequence = {place}",
            f"UPDATE audit SET sequence = -sequence WHERE sequence > {place}",
            "UPDATE audit SET sequence = -sequence - 1 WHERE sequence < 0")
    else:
        place, change = place + 1, "a line put in"
        run(journal, f"UPDATE audit SET sequence = -sequence WHERE sequence >= {place}",
            "UPDATE audit SET sequence = 1 - sequence WHERE sequence < 0",
            f"INSERT INTO audit SELECT {place}, time, event, incident, actor, text, hash FROM audit"
            f" WHERE sequence = {place - 1}")
    return change, place
