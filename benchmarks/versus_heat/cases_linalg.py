# SPDX-License-Identifier: BSD-3-Clause
"""Linear algebra, signal processing, FFT, sparse matrices. See cases.py."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from cases import Calls, group, normal, reference, tensor

SPLITS = (None, 0, 1)


def positive(n: int) -> np.ndarray:
    """A well-conditioned symmetric positive definite matrix."""
    a = normal(n, n)
    return (a @ a.T / n + np.eye(n, dtype=np.float32)).astype(np.float32)


@group
def products(m: Any) -> Calls:
    a, b = ({s: m.array(normal(768, 768), split=s) for s in SPLITS} for _ in range(2))
    tall, x = m.array(normal(2000, 500), split=0), m.array(normal(500))
    u, v = m.array(normal(1_000_000), split=0), m.array(normal(1_000_000), split=0)
    p, q = m.array(normal(1000), split=0), m.array(normal(1000), split=0)
    calls: Calls = {f"matmul {s}@{t}": lambda s=s, t=t: a[s] @ b[t] for s in SPLITS for t in SPLITS}  # type: ignore[misc]
    return calls | {
        "matvec": lambda: tall @ x,
        "dot": lambda: m.dot(u, v),
        "norm": lambda: m.norm(u),
        "outer": lambda: m.outer(p, q),
        "trace": lambda: m.trace(a[0]),
    }


@reference
def products_torch() -> Calls:
    a, tall, x = (tensor(normal(*s)) for s in ((768, 768), (2000, 500), (500,)))
    u, v, p = tensor(normal(1_000_000)), tensor(normal(1_000_000)), tensor(normal(1000))
    return {
        "matmul None@None": lambda: a @ a,
        "matmul 0@0": lambda: a @ a,
        "matvec": lambda: tall @ x,
        "dot": lambda: torch.dot(u, v),
        "norm": lambda: torch.linalg.norm(u),
        "outer": lambda: torch.outer(p, p),
        "trace": lambda: torch.trace(a),
    }


@group
def decompositions(m: Any) -> Calls:
    tall, square = m.array(normal(20_000, 64), split=0), m.array(normal(400, 400), split=0)
    columns, small = m.array(normal(400, 400), split=1), m.array(normal(200, 200), split=0)
    wide, long = m.array(normal(500, 2000), split=1), m.array(normal(2000, 500), split=0)
    spd, spd100 = m.array(positive(200), split=0), m.array(positive(100), split=0)
    right, start = m.array(normal(100), split=0), m.zeros(100, split=0)
    return {
        "qr tall": lambda: m.linalg.qr(tall),
        "qr square": lambda: m.linalg.qr(square),
        "qr split 1": lambda: m.linalg.qr(columns),
        "svd tall": lambda: m.linalg.svd(tall),
        "svd square": lambda: m.linalg.svd(small),
        "hsvd_rank 10": lambda: m.linalg.hsvd_rank(wide, 10),
        "hsvd_rtol": lambda: m.linalg.hsvd_rtol(wide, 1e-2),
        "rsvd 10": lambda: m.linalg.rsvd(long, 10),
        "eigh": lambda: m.linalg.eigh(spd),
        "polar": lambda: m.linalg.polar(small),
        "inv": lambda: m.linalg.inv(spd100),
        "det": lambda: m.linalg.det(spd100),
        "cg": lambda: m.linalg.cg(spd100, right, start),
        "lanczos": lambda: m.linalg.lanczos(spd, 50),
    }


@reference
def decompositions_torch() -> Calls:
    tall, square, small = (tensor(normal(*s)) for s in ((20_000, 64), (400, 400), (200, 200)))
    spd, spd100 = tensor(positive(200)), tensor(positive(100))
    return {
        "qr tall": lambda: torch.linalg.qr(tall),
        "qr square": lambda: torch.linalg.qr(square),
        "svd tall": lambda: torch.linalg.svd(tall, full_matrices=False),
        "svd square": lambda: torch.linalg.svd(small),
        "eigh": lambda: torch.linalg.eigh(spd),
        "inv": lambda: torch.linalg.inv(spd100),
        "det": lambda: torch.linalg.det(spd100),
    }


@group
def signal(m: Any) -> Calls:
    flat, kernel = m.array(normal(500_000), split=0), m.array(normal(101))
    image, window = m.array(normal(1500, 1500), split=0), m.array(normal(5, 5))
    return {
        "convolve": lambda: m.convolve(flat, kernel),
        "convolve2d": lambda: m.convolve2d(image, window),
    }


@group
def fft(m: Any) -> Calls:
    rows, square = m.array(normal(2000, 512), split=0), m.array(normal(1024, 1024), split=0)
    line, cube = m.array(normal(2**20), split=0), m.array(normal(64, 64, 64), split=0)
    return {
        "fft across split": lambda: m.fft.fft(rows, axis=1),
        "fft along split": lambda: m.fft.fft(rows, axis=0),
        "fft2": lambda: m.fft.fft2(square),
        "fftn": lambda: m.fft.fftn(cube),
        "fft 1-d": lambda: m.fft.fft(line),
        "rfft across split": lambda: m.fft.rfft(rows, axis=1),
        "fftshift": lambda: m.fft.fftshift(square),
    }


@reference
def fft_torch() -> Calls:
    rows, square = tensor(normal(2000, 512)), tensor(normal(1024, 1024))
    line, cube = tensor(normal(2**20)), tensor(normal(64, 64, 64))
    return {
        "fft across split": lambda: torch.fft.fft(rows, dim=1),
        "fft along split": lambda: torch.fft.fft(rows, dim=0),
        "fft2": lambda: torch.fft.fft2(square),
        "fftn": lambda: torch.fft.fftn(cube),
        "fft 1-d": lambda: torch.fft.fft(line),
        "rfft across split": lambda: torch.fft.rfft(rows, dim=1),
        "fftshift": lambda: torch.fft.fftshift(square),
    }


@group
def sparse(m: Any) -> Calls:
    import scipy.sparse

    matrix = scipy.sparse.random(2000, 2000, 0.01, format="csr", dtype=np.float32, random_state=0)
    a = m.sparse.sparse_csr_matrix(matrix, split=0)
    return {
        "create": lambda: m.sparse.sparse_csr_matrix(matrix, split=0),
        "add": lambda: a + a,
        "multiply": lambda: a * a,
        "to_dense": lambda: m.sparse.to_dense(a),
    }
