"""Reads a safetensors file by the format's description alone, with the standard library: Debian has no python3-safetensors.

Prints the metadata and, for every tensor, its dtype, shape and the sum of its values, as JSON.
"""
import json
import struct
import sys

with open(sys.argv[1], "rb") as file:
    (header_bytes,) = struct.unpack("<Q", file.read(8))
    header = json.loads(file.read(header_bytes))
    data = file.read()

tensors = {}
for name, entry in header.items():
    if name == "__metadata__":
        continue
    assert entry["dtype"] == "F32", entry
    begin, end = entry["data_offsets"]
    values = struct.unpack(f"<{(end - begin) // 4}f", data[begin:end])
    tensors[name] = {"shape": entry["shape"], "sum": sum(values)}
print(json.dumps({"metadata": header["__metadata__"], "tensors": tensors}))
