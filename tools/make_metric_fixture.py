#!/usr/bin/python3
"""What plain Python makes of given features and class scores, for tests/OnnxDistill.Tests/Metrics/Fixtures. Written from the papers, sum by sum, with nothing but the
standard library. Usage:
    python3 tools/make_metric_fixture.py tests/OnnxDistill.Tests/Metrics/Fixtures

metrics-seed4.json has
    samples, reference   40 rows of 6 features each
    logits, labels       40 rows of 5 scores, 40 classes
    kid                  unbiased squared MMD, kernel (x'y / d + 1)^3 (Binkowski et al. 2018)
    precision, recall    balls to the third nearest neighbour (Kynkaanniemi et al. 2019)
    score, deviation     inception score over ten parts of the softmax of the logits (Salimans et al. 2016)
    accuracy, confidence share of rows whose largest score is the label's, mean probability of the label
"""
import json
import math
import os
import random
import sys

COUNT, FEATURES, CLASSES, PARTS, NEIGHBOUR = 40, 6, 5, 10, 3


def kid(x, y):
    def kernel(a, b):
        return (math.fsum(p * q for p, q in zip(a, b)) / FEATURES + 1) ** 3

    def others(rows):
        pairs = [kernel(rows[i], rows[j]) for i in range(len(rows)) for j in range(len(rows)) if i != j]
        return math.fsum(pairs) / len(pairs)

    return others(x) + others(y) - 2 * math.fsum(kernel(a, b) for a in x for b in y) / (len(x) * len(y))


def share_on(points, centres):
    radii = [sorted(math.dist(a, b) for b in centres)[NEIGHBOUR] for a in centres]  # the nearest of all is the centre itself
    return sum(any(math.dist(p, c) <= r for c, r in zip(centres, radii)) for p in points) / len(points)


def softmax(row):
    powers = [math.exp(v) for v in row]
    return [p / math.fsum(powers) for p in powers]


def inception_score(rows):
    scores = []
    size = len(rows) // PARTS
    for part in range(PARTS):
        chosen = rows[part * size:(part + 1) * size]
        mean = [math.fsum(column) / size for column in zip(*chosen)]
        scores.append(math.exp(math.fsum(p * (math.log(p) - math.log(m)) for row in chosen for p, m in zip(row, mean)) / size))
    mean = math.fsum(scores) / PARTS
    return mean, math.sqrt(math.fsum((s - mean) ** 2 for s in scores) / PARTS)


def main(folder):
    draw = random.Random(4)
    # Few digits, so that float32 and double start from the same short numbers.
    samples, reference = [[[round(draw.gauss(shift, 1), 2) for _ in range(FEATURES)] for _ in range(COUNT)] for shift in (0, 0.8)]
    logits = [[round(draw.gauss(0, 2), 2) for _ in range(CLASSES)] for _ in range(COUNT)]
    best = [row.index(max(row)) for row in logits]
    labels = [b if i % 4 else (b + 1) % CLASSES for i, b in enumerate(best)]
    rows = [softmax(row) for row in logits]
    score, deviation = inception_score(rows)
    fixture = {
        "samples": samples, "reference": reference, "logits": logits, "labels": labels,
        "kid": kid(samples, reference), "precision": share_on(samples, reference), "recall": share_on(reference, samples),
        "score": score, "deviation": deviation,
        "accuracy": sum(b == l for b, l in zip(best, labels)) / COUNT, "confidence": math.fsum(row[l] for row, l in zip(rows, labels)) / COUNT,
    }
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "metrics-seed4.json"), "w", encoding="utf-8", newline="\n") as file:
        file.write("{\n" + ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in fixture.items()) + "\n}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
