"""Runs Athena's SQL on DuckDB: what a statement means, without AWS.

Standard input is JSON: {"database", "table", "columns": [{"name", "type"}], "records": [{"record", "partition"}],
"statements": [{"sql", "parameters"}]}. Columns have the types of Hive, the partition keys included. Standard output is a list
with {"columns", "rows"} for each statement; values are texts as Athena gives them, null for NULL.

The table is filled as the SerDe of a CloudTrail table does it: names in lower case, a struct from an object, and any other value
that a string column gets as its JSON text. sqlglot translates from Athena's dialect to DuckDB's.

What is rewritten beyond that, for want of it in sqlglot:
- DuckDB's regexp_replace replaces the first match unless told 'g'; Athena's replaces all of them.
"""

import json
import re
import sys
import tempfile

import duckdb
import sqlglot
from sqlglot import exp


def parse_type(text):
    """Reads a Hive type: a name, or (name, [(member, type), ...])."""
    text = text.strip()
    name, bracket, rest = text.partition("<")
    if not bracket:
        return text
    inner, parts, depth, start = rest[: rest.rindex(">")], [], 0, 0
    for i, c in enumerate(inner):
        depth += {"<": 1, ">": -1}.get(c, 0)
        if c == "," and depth == 0:
            parts.append(inner[start:i])
            start = i + 1
    parts.append(inner[start:])
    if name == "struct":
        members = [p.partition(":") for p in parts]
        return name, [(m.strip(), parse_type(t)) for m, _, t in members]
    return name, [("", parse_type(p)) for p in parts]


def duckdb_type(t):
    if isinstance(t, str):
        return {"string": "VARCHAR", "int": "INTEGER", "bigint": "BIGINT"}[t]
    name, members = t
    types = [duckdb_type(m) for _, m in members]
    if name == "struct":
        return "STRUCT(" + ", ".join(f'"{n}" {m}' for (n, _), m in zip(members, types)) + ")"
    return types[0] + "[]" if name == "array" else f"MAP({types[0]}, {types[1]})"


def serde(value, t):
    """Is the value that a column of a type gets."""
    if value is None:
        return None
    if isinstance(t, str):
        if isinstance(value, str):
            return value
        text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
        return re.sub('"\ue000([0-9.eE+-]+)"', r"\1", text)  # fractions keep their digits: see main
    name, members = t
    if name == "array":
        return [serde(v, members[0][1]) for v in value] if isinstance(value, list) else None
    if not isinstance(value, dict):
        return None
    if name == "map":
        return {k: serde(v, members[1][1]) for k, v in value.items()}
    lower = {k.lower(): v for k, v in value.items()}
    return {n: serde(lower.get(n.lower()), m) for n, m in members}


def fill(db, task):
    columns = {c["name"]: parse_type(c["type"]) for c in task["columns"]}
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl", encoding="utf-8") as f:
        for r in task["records"]:
            values = {k.lower(): v for k, v in r["record"].items()} | (r.get("partition") or {})
            f.write(json.dumps({n: serde(values.get(n), t) for n, t in columns.items()}) + "\n")
        f.flush()
        types = ", ".join(f"'{n}': '{duckdb_type(t)}'" for n, t in columns.items())
        db.execute(f'CREATE SCHEMA "{task["database"]}"')
        db.execute(
            f'CREATE TABLE "{task["database"]}"."{task["table"]}" AS SELECT * FROM '
            f"read_json('{f.name}', format = 'newline_delimited', maximum_object_size = 67108864, columns = {{{types}}})"
        )


def translate(sql):
    tree = sqlglot.parse_one(sql, read="athena")
    for f in tree.find_all(exp.RegexpReplace):
        f.set("modifiers", exp.Literal.string("g"))
    return tree.sql("duckdb")


def value(parameter):
    """Is what an execution parameter stands for: Athena reads it as SQL."""
    node = sqlglot.parse_one(parameter, read="athena")
    assert isinstance(node, exp.Literal) and node.is_string, parameter
    return node.this


def main():
    task = json.load(sys.stdin, parse_float=lambda digits: "\ue000" + digits)
    db = duckdb.connect()
    fill(db, task)
    out = []
    for s in task["statements"]:
        result = db.execute(translate(s["sql"]), [value(p) for p in s["parameters"] or []])
        names = [d[0] for d in result.description]
        rows = [[None if v is None else str(v) for v in row] for row in result.fetchall()]
        out.append({"columns": names, "rows": rows})
    json.dump(out, sys.stdout)


main()
