# SPDX-License-Identifier: BSD-3-Clause
# Generated from the bindings by tools/stubs.py; do not edit.
"""
The native core of equiheat.
"""

from __future__ import annotations
import collections.abc
import enum
import torch
import torch._C._distributed_c10d
import torch.distributed.distributed_c10d
import typing
import typing_extensions

__all__: list[str] = [
    "Array",
    "CommunicationError",
    "Communicator",
    "CsvReader",
    "CsvRows",
    "CsvScan",
    "DeviceError",
    "HaloExchange",
    "KrylovSpace",
    "NewArray",
    "RandomPermutation",
    "RandomStream",
    "ReduceOp",
    "Request",
    "Span",
    "SparseMatrix",
    "adjoint",
    "arange_float",
    "arange_int",
    "arg_extreme",
    "assign",
    "assign_rows",
    "attach",
    "await_members",
    "basic_view",
    "basic_write",
    "binary",
    "bincount",
    "broadcast_to",
    "check_square",
    "cholesky",
    "class_log_likelihood",
    "class_statistics",
    "clip",
    "column_statistics",
    "concatenate",
    "conjugate_gradients",
    "convolve",
    "cross",
    "csv_format",
    "dbscan",
    "det",
    "diagonal",
    "diagonal_matrix",
    "distance_sums",
    "eig",
    "eigh",
    "elements_overlap",
    "empty",
    "enter_partial",
    "expand_dims",
    "extended",
    "eye",
    "fft",
    "flip",
    "frexp",
    "from_blocks",
    "from_global",
    "full",
    "gather_at",
    "gather_edges",
    "gather_rows",
    "getitem",
    "halo_rows",
    "has_native_products",
    "histogram",
    "inv",
    "is_large_matrix",
    "is_large_svd",
    "isclose",
    "keep_counts",
    "keep_freed_memory",
    "kmeans",
    "kurtosis",
    "lasso",
    "latest_calls",
    "ldexp",
    "leave_together",
    "linalg_tuning",
    "linspace",
    "local_product",
    "lstsq",
    "map_stencil",
    "matmul",
    "matmul_to",
    "matrix_diagonal",
    "matrix_exp",
    "matrix_transpose",
    "mean",
    "modf",
    "move_to",
    "mpi_abort",
    "mpi_comm_size_of",
    "mpi_finalized",
    "mpi_initialized",
    "mpi_library_version",
    "mpi_thread_level",
    "nan_to_num",
    "native_linear",
    "nearest_rows",
    "nonzero",
    "operators",
    "outer",
    "oversample",
    "pad_constant",
    "pairwise_distances",
    "permute",
    "permute_rows",
    "plain_arange",
    "plain_full",
    "plain_spec",
    "plus_plus_centers",
    "polite_copy",
    "polite_group",
    "process_group_backend",
    "promote",
    "put_along",
    "put_at",
    "python_line",
    "qr",
    "quantile",
    "quantile_positions",
    "random_integers",
    "random_normal",
    "random_permutation",
    "random_uniform",
    "redistribute",
    "reductions",
    "repeat",
    "repeat_each",
    "replicated_like",
    "reshape",
    "resplit",
    "reversed_axes",
    "ridge",
    "roll",
    "roll_flat",
    "round",
    "scale_columns",
    "scan",
    "searchsorted",
    "set_array_class",
    "set_package_folders",
    "setitem",
    "skew",
    "slogdet",
    "solve",
    "solve_triangular",
    "sort",
    "sparse_are_begins",
    "sparse_are_within",
    "sparse_from_block",
    "sparse_from_dense",
    "sparse_from_entries",
    "sparse_from_whole",
    "squeeze",
    "stack",
    "start_trace",
    "start_watchdog",
    "stop_trace",
    "svd",
    "take_along",
    "tensor_of",
    "tile",
    "to_factorable",
    "topk",
    "trace",
    "tracing",
    "tril",
    "triu",
    "unary",
    "unique",
    "updates",
    "value_range",
    "var",
    "vdot",
    "vecdot",
    "vector_norm",
    "watchdog_runs",
    "weighted_stencil",
    "where",
    "window",
    "windows",
]

class CommunicationError(RuntimeError):
    pass

class DeviceError(RuntimeError):
    pass

class ReduceOp(enum.Enum):
    BAND = ...
    BOR = ...
    BXOR = ...
    LAND = ...
    LOR = ...
    LXOR = ...
    MAX = ...
    MIN = ...
    PROD = ...
    SUM = ...

class Request:
    """
    A non-blocking operation and the tensors it reads and fills.
    """
    def test(self) -> bool:
        """
        True once complete; never blocks.
        """
    def wait(self) -> None:
        """
        Blocks until the tensors may be used. Idempotent.
        """

class Communicator:
    """
    A duplicated MPI communicator.
    """
    @staticmethod
    def from_fortran(handle: typing.SupportsInt | typing.SupportsIndex) -> Communicator: ...
    @staticmethod
    def self() -> Communicator: ...
    @staticmethod
    def world() -> Communicator: ...
    def allgather(self, send: torch.Tensor | None, recv: torch.Tensor | None) -> None: ...
    def allgatherv(
        self,
        send: torch.Tensor | None,
        recv: torch.Tensor | None,
        counts: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex],
    ) -> None: ...
    def allreduce(self, send: torch.Tensor | None, recv: torch.Tensor | None, op: ReduceOp) -> None: ...
    def alltoall(self, send: torch.Tensor | None, recv: torch.Tensor | None) -> None: ...
    def alltoallv(
        self,
        send: torch.Tensor | None,
        recv: torch.Tensor | None,
        send_counts: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex],
        recv_counts: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex],
    ) -> None: ...
    def barrier(self) -> None: ...
    def bcast(self, buffer: torch.Tensor, root: typing.SupportsInt | typing.SupportsIndex) -> None: ...
    def dup(self) -> Communicator: ...
    def exscan(self, send: torch.Tensor | None, recv: torch.Tensor | None, op: ReduceOp) -> None: ...
    def gather(
        self, send: torch.Tensor | None, recv: torch.Tensor | None, root: typing.SupportsInt | typing.SupportsIndex
    ) -> None: ...
    def gatherv(
        self,
        send: torch.Tensor | None,
        recv: torch.Tensor | None,
        counts: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex],
        root: typing.SupportsInt | typing.SupportsIndex,
    ) -> None: ...
    def iallgather(self, send: torch.Tensor | None, recv: torch.Tensor | None) -> Request: ...
    def iallgatherv(
        self,
        send: torch.Tensor | None,
        recv: torch.Tensor | None,
        counts: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex],
    ) -> Request: ...
    def iallreduce(self, send: torch.Tensor | None, recv: torch.Tensor | None, op: ReduceOp) -> Request: ...
    def ialltoall(self, send: torch.Tensor | None, recv: torch.Tensor | None) -> Request: ...
    def ialltoallv(
        self,
        send: torch.Tensor | None,
        recv: torch.Tensor | None,
        send_counts: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex],
        recv_counts: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex],
    ) -> Request: ...
    def ibcast(self, buffer: torch.Tensor, root: typing.SupportsInt | typing.SupportsIndex) -> Request: ...
    def iexscan(self, send: torch.Tensor | None, recv: torch.Tensor | None, op: ReduceOp) -> Request: ...
    def igather(
        self, send: torch.Tensor | None, recv: torch.Tensor | None, root: typing.SupportsInt | typing.SupportsIndex
    ) -> Request: ...
    def igatherv(
        self,
        send: torch.Tensor | None,
        recv: torch.Tensor | None,
        counts: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex],
        root: typing.SupportsInt | typing.SupportsIndex,
    ) -> Request: ...
    def irecv(
        self,
        buffer: torch.Tensor,
        source: typing.SupportsInt | typing.SupportsIndex,
        tag: typing.SupportsInt | typing.SupportsIndex = 0,
    ) -> Request: ...
    def ireduce(
        self,
        send: torch.Tensor | None,
        recv: torch.Tensor | None,
        op: ReduceOp,
        root: typing.SupportsInt | typing.SupportsIndex,
    ) -> Request: ...
    def ireduce_scatter(
        self,
        send: torch.Tensor | None,
        recv: torch.Tensor | None,
        counts: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex],
        op: ReduceOp,
    ) -> Request: ...
    def iscan(self, send: torch.Tensor | None, recv: torch.Tensor | None, op: ReduceOp) -> Request: ...
    def iscatter(
        self, send: torch.Tensor | None, recv: torch.Tensor | None, root: typing.SupportsInt | typing.SupportsIndex
    ) -> Request: ...
    def iscatterv(
        self,
        send: torch.Tensor | None,
        recv: torch.Tensor | None,
        counts: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex],
        root: typing.SupportsInt | typing.SupportsIndex,
    ) -> Request: ...
    def isend(
        self,
        buffer: torch.Tensor,
        dest: typing.SupportsInt | typing.SupportsIndex,
        tag: typing.SupportsInt | typing.SupportsIndex = 0,
    ) -> Request: ...
    def recv(
        self,
        buffer: torch.Tensor,
        source: typing.SupportsInt | typing.SupportsIndex,
        tag: typing.SupportsInt | typing.SupportsIndex = 0,
    ) -> None: ...
    def reduce(
        self,
        send: torch.Tensor | None,
        recv: torch.Tensor | None,
        op: ReduceOp,
        root: typing.SupportsInt | typing.SupportsIndex,
    ) -> None: ...
    def reduce_scatter(
        self,
        send: torch.Tensor | None,
        recv: torch.Tensor | None,
        counts: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex],
        op: ReduceOp,
    ) -> None: ...
    def scan(self, send: torch.Tensor | None, recv: torch.Tensor | None, op: ReduceOp) -> None: ...
    def scatter(
        self, send: torch.Tensor | None, recv: torch.Tensor | None, root: typing.SupportsInt | typing.SupportsIndex
    ) -> None: ...
    def scatterv(
        self,
        send: torch.Tensor | None,
        recv: torch.Tensor | None,
        counts: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex],
        root: typing.SupportsInt | typing.SupportsIndex,
    ) -> None: ...
    def send(
        self,
        buffer: torch.Tensor,
        dest: typing.SupportsInt | typing.SupportsIndex,
        tag: typing.SupportsInt | typing.SupportsIndex = 0,
    ) -> None: ...
    def sendrecv(
        self,
        send: torch.Tensor | None,
        dest: typing.SupportsInt | typing.SupportsIndex,
        recv: torch.Tensor | None,
        source: typing.SupportsInt | typing.SupportsIndex,
        tag: typing.SupportsInt | typing.SupportsIndex = 0,
    ) -> None: ...
    def split(
        self, color: typing.SupportsInt | typing.SupportsIndex, key: typing.SupportsInt | typing.SupportsIndex
    ) -> Communicator: ...
    @property
    def fortran_handle(self) -> int: ...
    @property
    def rank(self) -> int: ...
    @property
    def size(self) -> int: ...

class Span:
    """
    One call of the communication layer; times in nanoseconds.
    """
    @property
    def blocked(self) -> int:
        """
        When the program began to wait.
        """
    @property
    def bytes(self) -> int: ...
    @property
    def comm(self) -> int: ...
    @property
    def end(self) -> int: ...
    @property
    def line(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def nonblocking(self) -> bool: ...
    @property
    def number(self) -> int:
        """
        Of the collective on its communicator; -1: a message.
        """
    @property
    def ranks(self) -> int: ...
    @property
    def start(self) -> int: ...
    @property
    def thread(self) -> int: ...

class Array:
    """
    Local block, layout and communicator of a global array.
    """
    def __init__(
        self,
        local: torch.Tensor,
        gshape: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex],
        split: typing.SupportsInt | typing.SupportsIndex | None,
        counts: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex] | None,
        comm: Communicator,
    ) -> None: ...
    def astype(self, dtype: torch.dtype) -> Array:
        """
        A copy with another element type.
        """
    def consume(
        self,
        split: typing.SupportsInt | typing.SupportsIndex | None,
        counts: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex] | None,
        last_reader: bool,
    ) -> Array:
        """
        Another layout of an array that is not used again; its memory goes as it is sent. Collective.
        """
    def halo(
        self,
        prev: typing.SupportsInt | typing.SupportsIndex,
        next: typing.SupportsInt | typing.SupportsIndex,
        periodic: bool,
    ) -> tuple:
        """
        (local block with halos, rows before, rows behind). Collective.
        """
    def redistribute(self, counts: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex]) -> Array:
        """
        Other extents, same split. Collective.
        """
    def resplit(self, split: typing.SupportsInt | typing.SupportsIndex | None) -> Array:
        """
        Balanced along `split`, or replicated. Collective.
        """
    def with_local(self, local: torch.Tensor) -> Array:
        """
        The same layout around another local block of the same shape.
        """
    @property
    def comm(self) -> Communicator: ...
    @property
    def counts(self) -> list[int] | None:
        """
        Extent along the split per rank; None when replicated.
        """
    @property
    def gshape(self) -> tuple: ...
    @property
    def holders(self) -> int:
        """
        References to the local block's tensor, this array's own included.
        """
    @property
    def is_balanced(self) -> bool: ...
    @property
    def is_distributed(self) -> bool: ...
    @property
    def local(self) -> torch.Tensor: ...
    @property
    def ndim(self) -> int: ...
    @property
    def size(self) -> int: ...
    @property
    def split(self) -> int | None: ...

class NewArray:
    """
    Shape, distribution and kind of a new array.
    """
    def __init__(
        self,
        shape: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex],
        split: typing.SupportsInt | typing.SupportsIndex | None,
        dtype: torch.dtype,
        device: torch.device,
        comm: Communicator,
    ) -> None: ...

class RandomStream:
    """
    Where a counter-based stream of random numbers starts.
    """
    def __init__(
        self, seed: typing.SupportsInt | typing.SupportsIndex, counter: typing.SupportsInt | typing.SupportsIndex
    ) -> None: ...

class RandomPermutation:
    """
    A random permutation, computed entry by entry.
    """
    @staticmethod
    def blocks(n: typing.SupportsInt | typing.SupportsIndex) -> int:
        """
        Blocks of the stream it uses up.
        """
    def __init__(self, stream: RandomStream, n: typing.SupportsInt | typing.SupportsIndex) -> None: ...

class KrylovSpace:
    """
    Lanczos' basis of a Hermitian matrix, growing.
    """
    def __init__(self, a: Array, vectors: typing.SupportsInt | typing.SupportsIndex) -> None:
        """
        Collective.
        """
    def append(self, whole: torch.Tensor) -> None:
        """
        The next vector, made orthogonal and normalised. Collective.
        """
    def basis(self) -> Array:
        """
        Local.
        """
    def grow(self) -> bool:
        """
        Until all vectors are there; False if the space ends before. Collective.
        """
    def tridiagonal(self) -> Array:
        """
        Local.
        """

class SparseMatrix:
    """
    Rows compressed; split along the rows or replicated.
    """
    def add(self, other: SparseMatrix) -> SparseMatrix:
        """
        Collective.
        """
    def multiply(self, other: SparseMatrix) -> SparseMatrix:
        """
        Collective.
        """
    def redistribute(
        self,
        split: typing.SupportsInt | typing.SupportsIndex | None,
        counts: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex] | None,
    ) -> SparseMatrix:
        """
        Collective.
        """
    def times(self, other: SparseMatrix) -> SparseMatrix:
        """
        Collective.
        """
    def times_dense(self, x: Array, transposed: bool) -> Array:
        """
        Collective.
        """
    def to_dense(self) -> Array: ...
    def transposed(self) -> SparseMatrix:
        """
        Rows and columns exchanged. Collective.
        """
    def with_values(self, values: torch.Tensor) -> SparseMatrix:
        """
        Other values at the same places.
        """
    @property
    def begin(self) -> torch.Tensor: ...
    @property
    def columns(self) -> torch.Tensor: ...
    @property
    def comm(self) -> Communicator: ...
    @property
    def counts(self) -> list[int] | None: ...
    @property
    def entries(self) -> list[int]:
        """
        Per rank; of a replicated matrix one number.
        """
    @property
    def gshape(self) -> tuple: ...
    @property
    def is_balanced(self) -> bool: ...
    @property
    def is_distributed(self) -> bool: ...
    @property
    def split(self) -> int | None: ...
    @property
    def values(self) -> torch.Tensor: ...

class CsvScan:
    """
    Rows that begin in a text, and where.
    """
    @property
    def first(self) -> int: ...
    @property
    def inside(self) -> bool: ...
    @property
    def last(self) -> int: ...
    @property
    def rows(self) -> int: ...

class CsvRows:
    """
    What was parsed, and what is wrong with the row behind it.
    """
    @property
    def column(self) -> int: ...
    @property
    def consumed(self) -> int: ...
    @property
    def fault(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def rows(self) -> int: ...
    @property
    def skip(self) -> int: ...
    @property
    def text(self) -> bytes: ...

class CsvReader:
    """
    Rows and numbers of delimited text. All methods are local.
    """
    def __init__(self, separator: bytes, comment: bytes) -> None: ...
    def choose(
        self,
        place: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex],
        missing: collections.abc.Sequence[bytes],
        fill: str,
        range: tuple[typing.SupportsInt | typing.SupportsIndex, typing.SupportsInt | typing.SupportsIndex],
        converters: collections.abc.Sequence[typing.Any],
        encoding: str,
    ) -> None:
        """
        Which fields parse() wants, and what stands for those without a value.
        """
    def parse(
        self,
        text: typing_extensions.Buffer,
        out: torch.Tensor,
        skip: typing.SupportsInt | typing.SupportsIndex,
        step: typing.SupportsInt | typing.SupportsIndex,
    ) -> CsvRows:
        """
        Every step-th row into float32, float64, int64 or uint64 numbers.
        """
    def scan(self, text: typing_extensions.Buffer, inside: bool) -> CsvScan: ...
    def skip(self, text: typing_extensions.Buffer, rows: typing.SupportsInt | typing.SupportsIndex) -> tuple[int, int]:
        """
        How many whole rows were passed over, and their bytes.
        """
    def split(self, text: typing_extensions.Buffer) -> tuple:
        """
        Fields of the first row, and its bytes.
        """

class HaloExchange:
    """
    Halos of arrays of one layout.
    """
    def __init__(
        self,
        x: Array,
        before: typing.SupportsInt | typing.SupportsIndex,
        after: typing.SupportsInt | typing.SupportsIndex,
        boundary: str,
        fill: typing.SupportsFloat | typing.SupportsIndex,
    ) -> None: ...
    def exchange(self, x: Array) -> tuple[torch.Tensor, torch.Tensor]:
        """
        Both at once. Collective.
        """
    def finish(self) -> tuple[torch.Tensor, torch.Tensor]:
        """
        (rows before, rows after). Collective.
        """
    def start(self, x: Array) -> None:
        """
        Collective; waits for nobody.
        """

def adjoint(x: Array) -> Array:
    """
    Local.
    """

def arange_float(
    spec: NewArray,
    first: typing.SupportsFloat | typing.SupportsIndex,
    second: typing.SupportsFloat | typing.SupportsIndex,
) -> Array: ...
def arange_int(
    spec: NewArray, first: typing.SupportsInt | typing.SupportsIndex, step: typing.SupportsInt | typing.SupportsIndex
) -> Array: ...
def arg_extreme(
    largest: bool, x: Array, axis: typing.SupportsInt | typing.SupportsIndex | None, keepdims: bool
) -> Array: ...
def assign(out: Array, values: Array, mask: Array | None, fn: str) -> None:
    """
    Write values into the memory of out where mask holds. Collective.
    """

def assign_rows(x: Array, centers: Array, weights: Array | None, metric: str) -> tuple[Array, float]:
    """
    (labels, total). Collective.
    """

def attach(before: Array, x: Array, after: Array, axis: typing.SupportsInt | typing.SupportsIndex) -> Array: ...
def await_members(
    store: torch.distributed.distributed_c10d.Store,
    rank: typing.SupportsInt | typing.SupportsIndex,
    size: typing.SupportsInt | typing.SupportsIndex,
    timeout: typing.SupportsFloat | typing.SupportsIndex,
) -> None:
    """
    Waits until all members of a process group have come to its making.
    """

def basic_view(*args: typing.Any, **kwargs: typing.Any) -> typing.Any: ...
def basic_write(*args: typing.Any, **kwargs: typing.Any) -> typing.Any: ...
def bincount(x: Array, weights: Array | None, minlength: typing.SupportsInt | typing.SupportsIndex) -> Array:
    """
    Collective.
    """

def broadcast_to(x: Array, shape: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex]) -> Array: ...
def check_square(x: Array, fn: str) -> None:
    """
    LinAlgError unless the last two axes have one extent. Local.
    """

def cholesky(a: Array, upper: bool) -> Array:
    """
    Collective.
    """

def class_log_likelihood(x: Array, mean: Array, precision: Array, constant: Array) -> Array:
    """
    Local.
    """

def class_statistics(
    x: Array, class_of: Array, classes: typing.SupportsInt | typing.SupportsIndex, weights: Array | None
) -> tuple[Array, Array, Array]:
    """
    (count, mean, m2). Collective.
    """

def clip(x: Array, low: typing.Any, high: typing.Any) -> Array: ...
def column_statistics(x: Array, weights: Array | None, fn: str) -> tuple[float, Array, Array, Array, Array]:
    """
    (count, mean, variance, min, max). Collective.
    """

def concatenate(arrays: collections.abc.Sequence[Array], axis: typing.SupportsInt | typing.SupportsIndex) -> Array: ...
def conjugate_gradients(
    a: Array,
    b: torch.Tensor,
    start: torch.Tensor,
    rtol: typing.SupportsFloat | typing.SupportsIndex,
    steps: typing.SupportsInt | typing.SupportsIndex,
) -> torch.Tensor:
    """
    Vectors are whole on every rank. Collective.
    """

def convolve(
    a: Array,
    v: Array,
    offset: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex],
    lengths: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex],
    stride: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex],
    boundary: str,
    fill: typing.SupportsFloat | typing.SupportsIndex,
) -> Array:
    """
    Collective.
    """

def cross(a: Array, b: Array, axis: typing.SupportsInt | typing.SupportsIndex) -> Array:
    """
    Collective.
    """

def csv_format(x: torch.Tensor, separator: str, decimals: typing.SupportsInt | typing.SupportsIndex) -> bytes:
    """
    Lines of a (rows, columns) table of float32, float64, int64 or uint64 numbers. Local.
    """

def dbscan(
    x: Array,
    radius: typing.SupportsFloat | typing.SupportsIndex,
    least: typing.SupportsFloat | typing.SupportsIndex,
    weights: Array | None,
    metric: str,
) -> tuple[Array, Array]:
    """
    (labels, core). Collective.
    """

def det(a: Array) -> Array:
    """
    Collective.
    """

def diagonal(
    x: Array,
    offset: typing.SupportsInt | typing.SupportsIndex,
    axis1: typing.SupportsInt | typing.SupportsIndex,
    axis2: typing.SupportsInt | typing.SupportsIndex,
) -> Array: ...
def diagonal_matrix(x: Array, offset: typing.SupportsInt | typing.SupportsIndex) -> Array: ...
def distance_sums(x: Array, group: Array, groups: typing.SupportsInt | typing.SupportsIndex, metric: str) -> Array:
    """
    Collective.
    """

def eig(a: Array, vectors: bool) -> tuple[Array, Array | None]:
    """
    (values, vectors or None). Collective.
    """

def eigh(a: Array, upper: bool, vectors: bool) -> tuple[Array, Array | None]:
    """
    (values, vectors or None). Collective.
    """

def elements_overlap(x: Array) -> bool:
    """
    Whether elements of this rank's block share memory. Local.
    """

def empty(spec: NewArray) -> Array: ...
def enter_partial(replicated: torch.Tensor, comm: Communicator) -> torch.Tensor:
    """
    A replicated tensor for use beside local blocks; its gradient is summed over ranks.
    """

def expand_dims(x: Array, axes: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex]) -> Array: ...
def extended(
    x: Array,
    before: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex],
    after: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex],
    boundary: str,
    fill: typing.SupportsFloat | typing.SupportsIndex,
) -> torch.Tensor:
    """
    The local block with a frame around it. Collective.
    """

def eye(spec: NewArray, k: typing.SupportsInt | typing.SupportsIndex) -> Array: ...
def fft(
    x: Array,
    kind: str,
    axes: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex],
    lengths: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex],
    scale: typing.SupportsInt | typing.SupportsIndex,
    forward: bool,
) -> Array:
    """
    Collective.
    """

def flip(x: Array, axes: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex]) -> Array: ...
def frexp(x: Array) -> tuple[Array, Array]: ...
def from_blocks(
    block: torch.Tensor | None, split: typing.SupportsInt | typing.SupportsIndex, comm: Communicator
) -> Array:
    """
    The array whose blocks the ranks bring; None for a rank without one. Collective.
    """

def from_global(
    whole: torch.Tensor, split: typing.SupportsInt | typing.SupportsIndex | None, copy: bool, comm: Communicator
) -> Array:
    """
    The chunk of a tensor that every rank has whole. Local.
    """

def full(
    spec: NewArray,
    value: bool
    | typing.SupportsInt
    | typing.SupportsIndex
    | typing.SupportsInt
    | typing.SupportsIndex
    | typing.SupportsFloat
    | typing.SupportsIndex
    | complex,
) -> Array: ...
def gather_at(
    x: Array,
    axes: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex],
    arrays: collections.abc.Sequence[Array],
) -> Array:
    """
    x indexed by integer arrays on some axes (ascending) together.
    """

def gather_edges(x: Array, edge: typing.SupportsInt | typing.SupportsIndex) -> torch.Tensor:
    """
    What printing shows of a large array, on every rank. Collective.
    """

def gather_rows(x: Array, rows: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex]) -> Array:
    """
    Replicated. Collective.
    """

def getitem(x: Array, key: tuple) -> Array: ...
def halo_rows(
    x: Array,
    before: typing.SupportsInt | typing.SupportsIndex,
    after: typing.SupportsInt | typing.SupportsIndex,
    periodic: bool,
) -> tuple[torch.Tensor | None, torch.Tensor | None]:
    """
    Rows before and behind the block, or None. Collective.
    """

def has_native_products() -> bool: ...
def histogram(
    x: Array,
    edges: collections.abc.Sequence[typing.SupportsFloat | typing.SupportsIndex],
    even: bool,
    weights: Array | None,
) -> Array:
    """
    Collective.
    """

def inv(a: Array) -> Array:
    """
    Collective.
    """

def is_large_matrix(a: Array) -> bool:
    """
    Local.
    """

def is_large_svd(a: Array) -> bool:
    """
    Local.
    """

def isclose(
    a: Array,
    b: Array,
    rtol: typing.SupportsFloat | typing.SupportsIndex,
    atol: typing.SupportsFloat | typing.SupportsIndex,
    equal_nan: bool,
) -> Array: ...
def keep_counts() -> None:
    """
    For the end of the program, before its communicators go. Local.
    """

def keep_freed_memory() -> None:
    """
    Freed memory stays for the next arrays: glibc gives less of it back to the system. Local.
    """

def kmeans(
    x: Array,
    centers: Array,
    weights: Array | None,
    max_iter: typing.SupportsInt | typing.SupportsIndex,
    tol: typing.SupportsFloat | typing.SupportsIndex,
    visit: collections.abc.Callable[
        [typing.SupportsInt | typing.SupportsIndex, typing.SupportsFloat | typing.SupportsIndex], None
    ]
    | None = None,
) -> tuple[Array, Array, float, int]:
    """
    (centers, labels, inertia, iterations). Collective.
    """

def kurtosis(
    x: Array,
    axes: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex] | None,
    keepdims: bool,
    unbiased: bool,
    excess: bool,
) -> Array:
    """
    Collective.
    """

def lasso(
    x: Array,
    y: Array,
    penalty: typing.SupportsFloat | typing.SupportsIndex,
    ridge: typing.SupportsFloat | typing.SupportsIndex,
    unpenalized: typing.SupportsInt | typing.SupportsIndex,
    max_iter: typing.SupportsInt | typing.SupportsIndex,
    tol: typing.SupportsFloat | typing.SupportsIndex,
    center: bool,
) -> tuple[Array, Array, int]:
    """
    (theta, intercept, iterations). Collective.
    """

def latest_calls() -> list[str]:
    """
    The latest calls of the communication layer, while they are recorded.
    """

def ldexp(x: Array, exponent: Array) -> Array: ...
def leave_together(world: Communicator, signal: typing.SupportsInt | typing.SupportsIndex) -> None:
    """
    When MPI ends on a rank that others still wait for in a collective, the job ends.
    """

def linalg_tuning(
    small: typing.SupportsInt | typing.SupportsIndex = -1,
    width: typing.SupportsInt | typing.SupportsIndex = -1,
    leaf: typing.SupportsInt | typing.SupportsIndex = -1,
) -> tuple[int, int, int]:
    """
    Sizes of matrices that are gathered, of panels and of undivided tridiagonal matrices; the same on all ranks. Negative ones stay. Returns those before. Local.
    """

def linspace(
    spec: NewArray,
    start: typing.SupportsFloat | typing.SupportsIndex,
    delta: typing.SupportsFloat | typing.SupportsIndex,
    div: typing.SupportsFloat | typing.SupportsIndex,
    last: typing.SupportsFloat | typing.SupportsIndex | None,
) -> Array: ...
def local_product(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """
    Of tensors on this rank.
    """

def lstsq(
    a: Array, b: Array, rcond: typing.SupportsFloat | typing.SupportsIndex | None
) -> tuple[Array, Array, int, Array]:
    """
    (x, residuals, rank, s). Collective.
    """

def map_stencil(
    x: Array,
    before: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex],
    after: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex],
    boundary: str,
    fill: typing.SupportsFloat | typing.SupportsIndex,
    fn: collections.abc.Callable,
) -> Array:
    """
    Collective.
    """

def matmul(a: Array, b: Array) -> Array:
    """
    Collective.
    """

def matmul_to(a: Array, b: Array, split: typing.SupportsInt | typing.SupportsIndex | None) -> Array:
    """
    Collective.
    """

def matrix_diagonal(x: Array, offset: typing.SupportsInt | typing.SupportsIndex) -> Array:
    """
    Local.
    """

def matrix_exp(a: Array) -> Array:
    """
    Collective.
    """

def matrix_transpose(x: Array) -> Array:
    """
    Local.
    """

def mean(
    x: Array,
    axes: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex] | None,
    keepdims: bool,
    dtype: torch.dtype | None,
) -> Array: ...
def modf(x: Array) -> tuple[Array, Array]: ...
def move_to(
    x: Array,
    axis: typing.SupportsInt | typing.SupportsIndex,
    extent: typing.SupportsInt | typing.SupportsIndex,
    moves: collections.abc.Sequence[
        tuple[
            typing.SupportsInt | typing.SupportsIndex,
            typing.SupportsInt | typing.SupportsIndex,
            typing.SupportsInt | typing.SupportsIndex,
        ]
    ],
) -> Array:
    """
    Rows moved to an axis of `extent` entries, each move (source, target, length); the rest is zero.
    """

def mpi_abort(code: typing.SupportsInt | typing.SupportsIndex) -> None: ...
def mpi_comm_size_of() -> int:
    """
    sizeof(MPI_Comm) this core was compiled with.
    """

def mpi_finalized() -> bool: ...
def mpi_initialized() -> bool: ...
def mpi_library_version() -> str: ...
def mpi_thread_level() -> str: ...
def nan_to_num(
    x: Array,
    nan: typing.SupportsFloat | typing.SupportsIndex,
    posinf: typing.SupportsFloat | typing.SupportsIndex | None,
    neginf: typing.SupportsFloat | typing.SupportsIndex | None,
) -> Array: ...
def native_linear(x: torch.Tensor, w: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor | None:
    """
    x w^T + bias of matrices without gradients; None where torch's is due.
    """

def nearest_rows(x: Array, y: Array, k: typing.SupportsInt | typing.SupportsIndex, metric: str) -> tuple[Array, Array]:
    """
    (distances, indices). Collective.
    """

def nonzero(x: Array) -> list[Array]: ...
def outer(a: Array, b: Array) -> Array:
    """
    Collective.
    """

def oversample(
    x: Array,
    expected: typing.SupportsFloat | typing.SupportsIndex,
    rounds: typing.SupportsInt | typing.SupportsIndex,
    metric: str,
    seed: typing.SupportsInt | typing.SupportsIndex,
) -> tuple[Array, Array]:
    """
    (rows, weights). Collective.
    """

def pad_constant(
    x: Array,
    widths: collections.abc.Sequence[
        tuple[typing.SupportsInt | typing.SupportsIndex, typing.SupportsInt | typing.SupportsIndex]
    ],
    value: typing.Any,
) -> Array: ...
def pairwise_distances(x: Array, y: Array, metric: str, sigma: typing.SupportsFloat | typing.SupportsIndex) -> Array:
    """
    Collective.
    """

def permute(x: Array, axes: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex]) -> Array: ...
def permute_rows(x: Array, permutation: RandomPermutation) -> Array:
    """
    Collective when split along 0.
    """

def plain_arange(*args: typing.Any, **kwargs: typing.Any) -> typing.Any: ...
def plain_full(*args: typing.Any, **kwargs: typing.Any) -> typing.Any: ...
def plain_spec(*args: typing.Any, **kwargs: typing.Any) -> typing.Any: ...
def plus_plus_centers(
    x: Array,
    k: typing.SupportsInt | typing.SupportsIndex,
    weights: Array | None,
    metric: str,
    seed: typing.SupportsInt | typing.SupportsIndex,
) -> Array:
    """
    Collective.
    """

def polite_copy(comm: Communicator, key: typing.SupportsInt | typing.SupportsIndex) -> Communicator:
    """
    The same ranks, ordered by key, for work beside the program. Collective.
    """

def polite_group(
    handle: typing.SupportsInt | typing.SupportsIndex,
    ranks: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex],
    tag: typing.SupportsInt | typing.SupportsIndex,
) -> Communicator:
    """
    Some ranks of a communicator. Collective over them alone.
    """

def process_group_backend(
    comm: Communicator,
    store: torch.distributed.distributed_c10d.Store,
    timeout: typing.SupportsFloat | typing.SupportsIndex,
    name: str,
) -> torch._C._distributed_c10d.Backend:
    """
    The backend of a process group of torch.distributed.
    """

def promote(a: torch.dtype, b: torch.dtype) -> torch.dtype:
    """
    Result type of an operation between arrays of two types.
    """

def put_along(
    x: Array, index: Array, value: Array, axis: typing.SupportsInt | typing.SupportsIndex, add: bool
) -> None: ...
def put_at(
    x: Array,
    axes: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex],
    arrays: collections.abc.Sequence[Array],
    value: Array,
    add: bool,
) -> None:
    """
    Writes, or adds, `value` where gather_at reads; it has as many axes as that, or none.
    """

def python_line() -> str: ...
def qr(a: Array, mode: str) -> tuple[Array | None, Array]:
    """
    (q or None, r). Collective.
    """

def quantile(
    x: Array,
    q: collections.abc.Sequence[typing.SupportsFloat | typing.SupportsIndex],
    axes: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex] | None,
    method: str,
    skip_nan: bool,
    keepdims: bool,
) -> Array:
    """
    One row for each q. Collective.
    """

def quantile_positions(
    method: str,
    q: collections.abc.Sequence[typing.SupportsFloat | typing.SupportsIndex],
    n: typing.SupportsInt | typing.SupportsIndex,
) -> tuple[list[int], list[int], list[float]]:
    """
    (lower, upper, weight of the upper). Local.
    """

def random_integers(
    spec: NewArray,
    stream: RandomStream,
    low: typing.SupportsInt | typing.SupportsIndex,
    span: typing.SupportsInt | typing.SupportsIndex,
) -> tuple[Array, int]: ...
def random_normal(spec: NewArray, stream: RandomStream) -> tuple[Array, int]: ...
def random_permutation(spec: NewArray, permutation: RandomPermutation) -> Array: ...
def random_uniform(spec: NewArray, stream: RandomStream) -> tuple[Array, int]: ...
def redistribute(x: Array, counts: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex]) -> Array: ...
def repeat(
    x: Array, times: typing.SupportsInt | typing.SupportsIndex, axis: typing.SupportsInt | typing.SupportsIndex
) -> Array: ...
def repeat_each(x: Array, times: Array, axis: typing.SupportsInt | typing.SupportsIndex) -> Array: ...
def replicated_like(x: Array, tensor: torch.Tensor) -> Array:
    """
    A tensor that every rank has, as an array on x's ranks and device.
    """

def reshape(
    x: Array,
    shape: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex],
    same_split: bool = True,
    split: typing.SupportsInt | typing.SupportsIndex | None = None,
) -> Array: ...
def resplit(x: Array, split: typing.SupportsInt | typing.SupportsIndex | None) -> Array: ...
def reversed_axes(*args: typing.Any, **kwargs: typing.Any) -> typing.Any: ...
def ridge(
    x: Array,
    y: Array,
    alphas: collections.abc.Sequence[typing.SupportsFloat | typing.SupportsIndex],
    several: bool,
    fit_intercept: bool,
    method: str,
    precise: bool,
) -> tuple[Array, Array]:
    """
    (coef, intercept). Collective.
    """

def roll(
    x: Array,
    shifts: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex],
    axes: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex],
) -> Array: ...
def roll_flat(x: Array, shift: typing.SupportsInt | typing.SupportsIndex) -> Array: ...
def round(x: Array, decimals: typing.SupportsInt | typing.SupportsIndex) -> Array: ...
def scale_columns(x: Array, shift: Array | None, factor: Array | None) -> Array:
    """
    (x - shift) * factor. Local.
    """

def scan(
    name: str, x: Array, axis: typing.SupportsInt | typing.SupportsIndex | None, dtype: torch.dtype | None
) -> Array: ...
def searchsorted(a: Array, v: Array, right: bool) -> Array:
    """
    Collective.
    """

def set_array_class(type: type, base: type, convert: collections.abc.Callable) -> None: ...
def set_package_folders(folders: collections.abc.Sequence[str]) -> None:
    """
    Frames of files below them are left out when the line of a call is looked for.
    """

def setitem(x: Array, key: tuple, value: typing.Any) -> Array: ...
def skew(
    x: Array,
    axes: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex] | None,
    keepdims: bool,
    unbiased: bool,
) -> Array:
    """
    Collective.
    """

def slogdet(a: Array) -> tuple[Array, Array]:
    """
    (sign, logabsdet). Collective.
    """

def solve(a: Array, b: Array) -> Array:
    """
    Collective.
    """

def solve_triangular(a: Array, b: Array, upper: bool, unit: bool) -> Array:
    """
    Collective.
    """

def sort(
    x: Array, axis: typing.SupportsInt | typing.SupportsIndex | None, descending: bool, values: bool, indices: bool
) -> tuple[Array | None, Array | None]:
    """
    (values or None, indices or None). Collective.
    """

def sparse_are_begins(begin: torch.Tensor, entries: typing.SupportsInt | typing.SupportsIndex) -> bool:
    """
    Begins ascend from 0 to the number of entries. Local.
    """

def sparse_are_within(indices: torch.Tensor, extent: typing.SupportsInt | typing.SupportsIndex) -> bool:
    """
    All of them lie in [0, extent). Local.
    """

def sparse_from_block(
    begin: torch.Tensor,
    columns: torch.Tensor,
    values: torch.Tensor,
    shape: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex],
    split: typing.SupportsInt | typing.SupportsIndex | None,
    counts: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex] | None,
    comm: Communicator,
) -> SparseMatrix:
    """
    Collective.
    """

def sparse_from_dense(x: Array) -> SparseMatrix:
    """
    Collective.
    """

def sparse_from_entries(
    rows: torch.Tensor,
    columns: torch.Tensor,
    values: torch.Tensor,
    shape: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex],
    split: typing.SupportsInt | typing.SupportsIndex | None,
    spread: bool,
    comm: Communicator,
) -> SparseMatrix:
    """
    Collective.
    """

def sparse_from_whole(
    begin: torch.Tensor,
    columns: torch.Tensor,
    values: torch.Tensor,
    shape: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex],
    comm: Communicator,
) -> SparseMatrix | None:
    """
    Own rows of what every rank has; None on all where a column lies outside. Collective.
    """

def squeeze(x: Array, axes: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex] | None) -> Array: ...
def stack(arrays: collections.abc.Sequence[Array], axis: typing.SupportsInt | typing.SupportsIndex) -> Array: ...
def start_trace(lines: bool) -> None:
    """
    Records calls from now on.
    """

def start_watchdog(
    comm: Communicator,
    seconds: typing.SupportsFloat | typing.SupportsIndex,
    signal: typing.SupportsInt | typing.SupportsIndex,
) -> None: ...
def stop_trace() -> list[Span]:
    """
    The calls recorded; no more are.
    """

def svd(a: Array, full_matrices: bool, vectors: bool) -> tuple[Array | None, Array, Array | None]:
    """
    (u or None, s, vh or None). Collective.
    """

def take_along(x: Array, index: Array, axis: typing.SupportsInt | typing.SupportsIndex) -> Array: ...
def tensor_of(sequence: typing.Any) -> torch.Tensor | None:
    """
    float32 or int64 of nested lists or tuples of Python's floats and ints; None for anything else.
    """

def tile(x: Array, times: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex]) -> Array: ...
def to_factorable(x: Array) -> Array:
    """
    Local.
    """

def topk(
    x: Array,
    k: typing.SupportsInt | typing.SupportsIndex,
    axis: typing.SupportsInt | typing.SupportsIndex,
    largest: bool,
) -> tuple[Array, Array]:
    """
    (values, indices). Collective.
    """

def trace(
    x: Array,
    offset: typing.SupportsInt | typing.SupportsIndex,
    axis1: typing.SupportsInt | typing.SupportsIndex,
    axis2: typing.SupportsInt | typing.SupportsIndex,
) -> Array:
    """
    Collective.
    """

def tracing() -> bool:
    """
    Whether calls are recorded.
    """

def tril(x: Array, k: typing.SupportsInt | typing.SupportsIndex) -> Array:
    """
    Local.
    """

def triu(x: Array, k: typing.SupportsInt | typing.SupportsIndex) -> Array:
    """
    Local.
    """

def unique(
    x: Array,
    axis: typing.SupportsInt | typing.SupportsIndex | None,
    indices: bool,
    inverse: bool,
    counts: bool,
    equal_nan: bool,
) -> tuple[Array, Array | None, Array | None, Array | None]:
    """
    (values, first indices, inverse, counts), the latter three if wanted. Collective.
    """

def value_range(x: Array) -> tuple[float, float, int]:
    """
    (least, greatest, number of NaN). Collective.
    """

def var(
    x: Array,
    axes: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex] | None,
    keepdims: bool,
    dtype: torch.dtype | None,
    ddof: typing.SupportsFloat | typing.SupportsIndex,
) -> Array: ...
def vdot(a: Array, b: Array) -> Array:
    """
    Collective.
    """

def vecdot(a: Array, b: Array, axis: typing.SupportsInt | typing.SupportsIndex) -> Array:
    """
    Collective.
    """

def vector_norm(
    x: Array,
    ord: typing.SupportsFloat | typing.SupportsIndex,
    axes: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex],
    keepdims: bool,
) -> Array:
    """
    Collective.
    """

def watchdog_runs() -> bool: ...
def weighted_stencil(
    x: Array,
    before: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex],
    after: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex],
    boundary: str,
    fill: typing.SupportsFloat | typing.SupportsIndex,
    offsets: collections.abc.Sequence[collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex]],
    weights: collections.abc.Sequence[typing.SupportsFloat | typing.SupportsIndex],
    out: Array | None,
    add: bool,
    steps: typing.SupportsInt | typing.SupportsIndex,
) -> Array:
    """
    Collective.
    """

def where(condition: Array, x: typing.Any, y: typing.Any) -> Array: ...
def window(
    x: Array,
    axis: typing.SupportsInt | typing.SupportsIndex,
    begins: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex],
    ends: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex],
    boundary: str,
    fill: typing.SupportsFloat | typing.SupportsIndex,
) -> torch.Tensor:
    """
    This rank's window onto an axis. Collective.
    """

def windows(
    x: Array,
    axis: typing.SupportsInt | typing.SupportsIndex,
    size: typing.SupportsInt | typing.SupportsIndex,
    step: typing.SupportsInt | typing.SupportsIndex,
) -> Array: ...

binary: dict
operators: dict
reductions: dict
unary: dict
updates: dict
