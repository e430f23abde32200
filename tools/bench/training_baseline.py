"""The baseline of bench_training: the same sub-networks with the same weights and images, trained by PyTorch's
Python front end as Once-for-All drives it: weights sliced for every sub-network, autograd, torch.optim.SGD, one
intra-op thread. Driven by bench_training, which starts one process a core; not a trainer of its own.

    training_baseline.py train JOB.json RESULT.json   # JOB: see bench_training.cc
    training_baseline.py gemm SECONDS RESULT.json     # this process's float32 matrix product, GFLOP/s
"""
import json
import struct
import sys
import time

import torch
import torch.nn.functional as F

EPSILON = 1e-5  # of batch norm


def read_safetensors(path):
    with open(path, "rb") as file:
        content = bytearray(file.read())
    (header_bytes,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + header_bytes])
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        assert entry["dtype"] == "F32", name
        first, end = entry["data_offsets"]
        values = torch.frombuffer(content, dtype=torch.float32, count=(end - first) // 4, offset=8 + header_bytes + first)
        tensors[name] = values.reshape(entry["shape"]).clone().requires_grad_(True)
    return tensors


def modules_of(graph):
    """Name of each operator -> names of its weights and of its batch norm in supernet.safetensors, which are those of
    torchvision's MobileNetV2 (docs/decisions/0024). graph: the largest network's."""
    names = {}
    feature = conv = 0
    block = None
    for op in graph["ops"]:
        name = op["name"]
        if op["kind"] == "fully_connected":
            names[name] = ("classifier.1", None)
        elif op["kind"] in ("conv2d", "depthwise_conv2d"):
            if "." not in name:
                module = "features.%d" % (0 if name == "stem" else feature + 1)
                names[name] = (module + ".0", module + ".1")
                continue
            if name.rpartition(".")[0] != block:
                block = name.rpartition(".")[0]
                feature += 1
                conv = 0
            here = "features.%d.conv.%d" % (feature, conv)
            after = "features.%d.conv.%d" % (feature, conv + 1)
            names[name] = (here, after) if op["activation"] == "none" else (here + ".0", here + ".1")
            conv += 1
    return names


def load_weights(path, largest):
    """By operator and field: weight, gamma and beta of a convolution, weight and bias of the classifier."""
    stored = read_safetensors(path)
    weights = {}
    for name, (convolution, batch_norm) in modules_of(largest).items():
        weights[name + ".weight"] = stored.pop(convolution + ".weight")
        if batch_norm is None:
            weights[name + ".bias"] = stored.pop(convolution + ".bias")
        else:
            weights[name + ".gamma"] = stored.pop(batch_norm + ".weight")
            weights[name + ".beta"] = stored.pop(batch_norm + ".bias")
    assert not stored, "not used: " + ", ".join(stored)
    return weights


def crop(weight, rows, columns):
    top = (weight.shape[2] - rows) // 2
    left = (weight.shape[3] - columns) // 2
    return weight[:, :, top : top + rows, left : left + columns]


def convolution(op, x, out_channels, weights):
    """Convolution, batch norm with the batch's statistics, activation. The supernet keeps no running ones."""
    name = op["name"]
    depthwise = op["kind"] == "depthwise_conv2d"
    rows, columns = op["kernel"]
    weight = weights[name + ".weight"][:out_channels, : 1 if depthwise else x.shape[1]]
    weight = crop(weight, rows, columns).contiguous()
    top, left, bottom, right = op["padding"]
    padding = (top, left)
    if (top, left) != (bottom, right):
        x = F.pad(x, (left, right, top, bottom))
        padding = 0
    x = F.conv2d(x, weight, None, op["stride"], padding, groups=x.shape[1] if depthwise else 1)
    gamma = weights[name + ".gamma"][:out_channels].contiguous()
    beta = weights[name + ".beta"][:out_channels].contiguous()
    x = F.batch_norm(x, None, None, gamma, beta, training=True, momentum=0.0, eps=EPSILON)
    return activate(op, x)


def activate(op, x):
    if op["activation"] == "relu6":
        return F.relu6(x)
    if op["activation"] == "relu":
        return F.relu(x)
    return x


def forward(graph, weights, images):
    """graph: tinynas-graph-1. images: [n, c, h, w]. Returns logits [n, classes]."""
    values = {graph["input"]: images}
    for op in graph["ops"]:
        x = values[op["inputs"][0]]
        out_channels = graph["tensors"][op["output"]]["shape"][2]
        if op["kind"] in ("conv2d", "depthwise_conv2d"):
            y = convolution(op, x, out_channels, weights)
        elif op["kind"] == "add":
            y = activate(op, x + values[op["inputs"][1]])
        elif op["kind"] == "global_avg_pool":
            y = x.mean((2, 3), keepdim=True)
        elif op["kind"] == "fully_connected":
            flat = x.permute(0, 2, 3, 1).reshape(x.shape[0], -1)
            weight = weights[op["name"] + ".weight"][:out_channels, : flat.shape[1]]
            y = F.linear(flat, weight, weights[op["name"] + ".bias"][:out_channels])
        else:
            raise ValueError("no such operator in a supernet: " + op["kind"])
        values[op["output"]] = y
    return values[graph["output"]]


def train(job):
    images_bytes = open(job["images"], "rb").read()
    n, h, w, c = job["shape"]
    pixels = torch.frombuffer(bytearray(images_bytes), dtype=torch.uint8).reshape(n, h, w, c)
    labels = torch.tensor(job["labels"], dtype=torch.long)
    images = ((pixels.to(torch.float32) - 128) / 64).permute(0, 3, 1, 2)  # channels last in memory
    if job["layout"] == "default":
        images = images.contiguous()
    weights = load_weights(job["weights"], job["largest"])
    decayed = [tensor for name, tensor in weights.items() if name.endswith(".weight")]
    others = [tensor for name, tensor in weights.items() if not name.endswith(".weight")]
    optimizer = torch.optim.SGD(
        [{"params": decayed, "weight_decay": job["weight_decay"]}, {"params": others, "weight_decay": 0.0}],
        lr=0.1, momentum=job["momentum"], nesterov=True)
    losses = []
    started = 0.0
    for step, (graphs, rate) in enumerate(zip(job["steps"], job["learning_rates"])):
        if step == job["warm_steps"]:
            started = time.perf_counter()
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.zero_grad(set_to_none=True)
        total = 0.0
        for graph in graphs:
            logits = forward(graph, weights, images).flatten(1)
            loss = F.cross_entropy(logits, labels)
            (loss / len(graphs)).backward()
            total += float(loss.detach())
        optimizer.step()
        losses.append(total / len(graphs))
    seconds = time.perf_counter() - started
    return {"losses": losses, "seconds": seconds, "images": (len(job["steps"]) - job["warm_steps"]) * len(job["steps"][0]) * n}


def gemm(seconds):
    """As a 1x1 convolution, which is oneDNN's product: torch.mm is the system's BLAS, on Debian the reference one."""
    images, side, inputs, outputs = 64, 8, 160, 1000
    a = torch.randn(images, inputs, side, side).contiguous(memory_format=torch.channels_last)
    b = torch.randn(outputs, inputs, 1, 1)
    count = 0
    with torch.no_grad():
        F.conv2d(a, b)
        started = time.perf_counter()
        while time.perf_counter() - started < seconds:
            F.conv2d(a, b)
            count += 1
    return {"gflops": 2 * images * side**2 * inputs * outputs * count / (time.perf_counter() - started) / 1e9}


def main():
    torch.set_num_threads(1)
    if sys.argv[1] == "gemm":
        result = gemm(float(sys.argv[2]))
    else:
        with open(sys.argv[2]) as file:
            result = train(json.load(file))
    with open(sys.argv[3], "w") as file:
        json.dump(result, file)


if __name__ == "__main__":
    main()
