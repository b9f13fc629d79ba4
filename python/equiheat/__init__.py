# SPDX-License-Identifier: BSD-3-Clause
# ruff: noqa: F403, I001
"""NumPy-like arrays split over MPI ranks, and self-supervised learning of equivariant features on top of them."""

from __future__ import annotations

import importlib

from equiheat._check import load_core as _load_core
from equiheat._startup import collection_paused as _collection_paused

_load_core()  # and with it equiheat._core

with _collection_paused():
    from equiheat import _abort as _abort
    from equiheat import devices as devices
    from equiheat import random as random
    from equiheat._version import __version__ as __version__
    from equiheat.array import DNDarray as DNDarray
    from equiheat.communication import Communication as Communication
    from equiheat.communication import MPICommunication as MPICommunication
    from equiheat.communication import Communicator as Communicator
    from equiheat.communication import MPIRequest as MPIRequest
    from equiheat.communication import get_comm as get_comm
    from equiheat.communication import sanitize_comm as sanitize_comm
    from equiheat.communication import use_comm as use_comm
    from equiheat.errors import CommunicationError as CommunicationError
    from equiheat.errors import DeviceError as DeviceError
    from equiheat.interchange import *
    from equiheat.mapping import *
    from equiheat.profiling import *

    # ---- factories, types, devices, constants
    from equiheat.constants import (
        INF as INF,
        NAN as NAN,
        PI as PI,
        Euler as Euler,
        Inf as Inf,
        Infinity as Infinity,
        Infty as Infty,
        NaN as NaN,
        e as e,
        inf as inf,
        nan as nan,
        newaxis as newaxis,
        pi as pi,
    )
    from equiheat.construction import (
        array as array,
        asarray as asarray,
    )
    from equiheat.conversion import copy as copy
    from equiheat.creation import (
        arange as arange,
        empty as empty,
        empty_like as empty_like,
        eye as eye,
        full as full,
        full_like as full_like,
        linspace as linspace,
        logspace as logspace,
        ones as ones,
        ones_like as ones_like,
        zeros as zeros,
        zeros_like as zeros_like,
    )
    from equiheat.defaults import *
    from equiheat.devices import (
        Device as Device,
        cpu as cpu,
        get_device as get_device,
        sanitize_device as sanitize_device,
        use_device as use_device,
    )
    from equiheat.dtypes import *
    from equiheat.printing import (
        get_printoptions as get_printoptions,
        global_printing as global_printing,
        local_printing as local_printing,
        print0 as print0,
        set_printoptions as set_printoptions,
    )
    from equiheat.promotion import (
        can_cast as can_cast,
        finfo as finfo,
        heat_type_is_complexfloating as heat_type_is_complexfloating,
        heat_type_is_exact as heat_type_is_exact,
        heat_type_is_inexact as heat_type_is_inexact,
        heat_type_is_realfloating as heat_type_is_realfloating,
        iinfo as iinfo,
        issubdtype as issubdtype,
        promote_types as promote_types,
        result_type as result_type,
    )

    # ---- linear algebra
    from equiheat import linalg as linalg
    from equiheat.linalg import *

    # ---- element-wise operations, comparisons, reductions
    from equiheat.arithmetic import (
        add as add,
        cbrt as cbrt,
        copysign as copysign,
        div as div,
        divide as divide,
        divmod as divmod,
        float_power as float_power,
        floor_divide as floor_divide,
        floordiv as floordiv,
        fmax as fmax,
        fmin as fmin,
        fmod as fmod,
        frexp as frexp,
        gcd as gcd,
        heaviside as heaviside,
        hypot as hypot,
        lcm as lcm,
        ldexp as ldexp,
        maximum as maximum,
        minimum as minimum,
        mod as mod,
        modf as modf,
        mul as mul,
        multiply as multiply,
        nan_to_num as nan_to_num,
        neg as neg,
        negative as negative,
        nextafter as nextafter,
        pos as pos,
        positive as positive,
        pow as pow,
        power as power,
        reciprocal as reciprocal,
        remainder as remainder,
        sgn as sgn,
        sign as sign,
        signbit as signbit,
        sqrt as sqrt,
        square as square,
        sub as sub,
        subtract as subtract,
        true_divide as true_divide,
    )
    from equiheat.comparison import (
        allclose as allclose,
        array_equal as array_equal,
        eq as eq,
        equal as equal,
        ge as ge,
        greater as greater,
        greater_equal as greater_equal,
        gt as gt,
        isclose as isclose,
        le as le,
        less as less,
        less_equal as less_equal,
        lt as lt,
        ne as ne,
        not_equal as not_equal,
    )
    from equiheat.complex_math import (
        angle as angle,
        conj as conj,
        conjugate as conjugate,
        imag as imag,
        iscomplex as iscomplex,
        isreal as isreal,
        real as real,
    )
    from equiheat.conditional import (
        where as where,
    )
    from equiheat.exponential import (
        exp as exp,
        exp2 as exp2,
        expm1 as expm1,
        log as log,
        log10 as log10,
        log1p as log1p,
        log2 as log2,
        logaddexp as logaddexp,
        logaddexp2 as logaddexp2,
    )
    from equiheat.logical import (
        bitwise_and as bitwise_and,
        bitwise_not as bitwise_not,
        bitwise_or as bitwise_or,
        bitwise_xor as bitwise_xor,
        invert as invert,
        isfinite as isfinite,
        isinf as isinf,
        isnan as isnan,
        isneginf as isneginf,
        isposinf as isposinf,
        left_shift as left_shift,
        logical_and as logical_and,
        logical_not as logical_not,
        logical_or as logical_or,
        logical_xor as logical_xor,
        right_shift as right_shift,
    )
    from equiheat.reductions import (
        all as all,
        amax as amax,
        amin as amin,
        any as any,
        argmax as argmax,
        argmin as argmin,
        count_nonzero as count_nonzero,
        cumprod as cumprod,
        cumproduct as cumproduct,
        cumsum as cumsum,
        max as max,
        mean as mean,
        min as min,
        nanmax as nanmax,
        nanmean as nanmean,
        nanmin as nanmin,
        nanprod as nanprod,
        nanstd as nanstd,
        nansum as nansum,
        nanvar as nanvar,
        prod as prod,
        ptp as ptp,
        std as std,
        sum as sum,
        var as var,
    )
    from equiheat.rounding import (
        abs as abs,
        absolute as absolute,
        around as around,
        ceil as ceil,
        clip as clip,
        fabs as fabs,
        fix as fix,
        floor as floor,
        rint as rint,
        round as round,
        trunc as trunc,
    )
    from equiheat.trigonometry import (
        acos as acos,
        acosh as acosh,
        arccos as arccos,
        arccosh as arccosh,
        arcsin as arcsin,
        arcsinh as arcsinh,
        arctan as arctan,
        arctan2 as arctan2,
        arctanh as arctanh,
        asin as asin,
        asinh as asinh,
        atan as atan,
        atan2 as atan2,
        atanh as atanh,
        cos as cos,
        cosh as cosh,
        deg2rad as deg2rad,
        degrees as degrees,
        rad2deg as rad2deg,
        radians as radians,
        sin as sin,
        sinc as sinc,
        sinh as sinh,
        tan as tan,
        tanh as tanh,
    )
    from equiheat.distribution import (
        balance as balance,
        collect as collect,
        redistribute as redistribute,
        resplit as resplit,
    )
    from equiheat.indexing import (
        nonzero as nonzero,
        take as take,
    )
    from equiheat.manipulation import (
        broadcast_arrays as broadcast_arrays,
        broadcast_to as broadcast_to,
        column_stack as column_stack,
        concat as concat,
        concatenate as concatenate,
        expand_dims as expand_dims,
        flatten as flatten,
        flip as flip,
        fliplr as fliplr,
        flipud as flipud,
        hstack as hstack,
        moveaxis as moveaxis,
        permute_dims as permute_dims,
        ravel as ravel,
        reshape as reshape,
        roll as roll,
        rot90 as rot90,
        row_stack as row_stack,
        squeeze as squeeze,
        stack as stack,
        swapaxes as swapaxes,
        transpose as transpose,
        vstack as vstack,
    )

    # ---- statistics, Fourier transforms
    from equiheat import fft as fft
    from equiheat import io as io
    from equiheat import sparse as sparse
    from equiheat.interop.dataframes import from_dataframe as from_dataframe, to_dataframe as to_dataframe
    from equiheat.io import *
    from equiheat.signal import *
    from equiheat import ndimage as ndimage
    from equiheat.moving import *
    from equiheat.stencils import *

    # ---- cut, repeat, pad, edit, gather
    from equiheat.diagonals import *
    from equiheat.differences import *
    from equiheat.editing import *
    from equiheat.gathering import *
    from equiheat.grids import *
    from equiheat.padding import *
    from equiheat.repetition import *
    from equiheat.splitting import *

    # ---- statistics
    from equiheat.statistics import *

    # ---- reductions that travel together
    from equiheat.asynchronous import *

    # ---- estimators
    from equiheat.base import *
    from equiheat import classification as classification, cluster as cluster, decomposition as decomposition
    from equiheat import graph as graph, metrics as metrics, mixture as mixture, model_selection as model_selection
    from equiheat import naive_bayes as naive_bayes, preprocessing as preprocessing, regression as regression
    from equiheat import spatial as spatial

    # ---- sorting and selection
    from equiheat.binning import *
    from equiheat.selection import *
    from equiheat.sets import *
    from equiheat.sorting import *

    # ---- other names of NumPy's
    from equiheat.numpy_names import *
    from equiheat import interop as interop

interop.register()
_abort.install()


#: Where names are that build on everything above.
_LATER = {
    "array_api": "equiheat.array_api",
    "core": "equiheat.core",
    **{name: f"equiheat.{name}" for name in ("nn", "optim", "utils")},
    **dict.fromkeys(("MPI", "MPI_SELF", "MPI_WORLD"), "equiheat.communication"),
    **dict.fromkeys(("SplitTiles", "SquareDiagTiles"), "equiheat.core.tiling"),
    **dict.fromkeys(
        ("errstate", "euler_gamma", "geterr", "index_exp", "isscalar", "ndindex", "s_", "seterr"), "numpy"
    ),  # of which nothing is distributed
    "sanitize_memory_layout": "equiheat.core.memory",
    **dict.fromkeys(
        ("broadcast_shape", "broadcast_shapes", "sanitize_axis", "sanitize_shape", "sanitize_slice"),
        "equiheat.core.stride_tricks",
    ),
}


def __getattr__(name: str) -> object:
    if name == "gpu":  # looked for only when asked
        return devices.gpu
    if name in _LATER:
        found = importlib.import_module(_LATER[name])
        return found if _LATER[name].endswith(f".{name}") else getattr(found, name)
    if name.startswith(("sanitize_", "scalar_to_1d")):
        return getattr(importlib.import_module("equiheat.core.sanitation"), name)
    if not name.startswith("_") and name in importlib.import_module("equiheat.core").MODULES:
        return importlib.import_module(f"equiheat.core.{name}")  # Heat's modules: ht.types, ht.arithmetics, ...
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
