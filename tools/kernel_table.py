"""Writes the table of CUDA kernels that OnnxDistill ships, from a CSV of ONNX Runtime's docs/OperatorKernels.md (MIT).

    python tools/kernel_table.py ../shared/data/cuda-kernels.csv > src/OnnxDistill.Runtime/Placement/cuda-kernels.txt

A line a row of the CSV: the operator (with its domain, unless that is the standard's), the versions that the kernel serves (11+ open,
11-18 closed), and a letter for each element type that any of its inputs or outputs may have. A test compares the file with the CSV.
"""

import csv
import sys

LETTERS = {
    "float": "f", "float16": "h", "bfloat16": "b", "double": "d", "bool": "t", "int8": "c", "int16": "s", "int32": "i", "int64": "l",
    "uint8": "C", "uint16": "S", "uint32": "I", "uint64": "L",
}


def letters(types):
    names = [name.strip() for constraint in types.split(";") for name in constraint.split("=")[-1].split(",")]
    # What has no letter (sequences, 8-bit and 4-bit floats) cannot occur in OnnxDistill's graphs.
    return "".join(sorted({LETTERS[name] for name in names if name in LETTERS}))


def main(path):
    with open(path, newline="", encoding="utf-8") as file:
        # The third domain, com.ms.internal.nhwc, is ONNX Runtime's own rewriting and occurs in no file.
        rows = [row for row in csv.DictReader(file) if row["domain"] in ("ai.onnx", "com.microsoft")]
    print(f"# CUDA kernels of ONNX Runtime {rows[0]['ort_version']} (docs/OperatorKernels.md, MIT); made by tools/kernel_table.py")
    for row in rows:
        name = row["op"] if row["domain"] == "ai.onnx" else f"{row['domain']}::{row['op']}"
        start, end = row["opset_from"], row["opset_to"]
        print(name, f"{start}+" if not end else f"{start}-{end}", letters(row["types"]) or "-")


if __name__ == "__main__":
    main(sys.argv[1])
