# SPDX-License-Identifier: BSD-3-Clause
"""Trigonometric and hyperbolic functions, element-wise. Angles are radians."""

from __future__ import annotations

from equiheat._function import binary, unary

sin = unary("sin", "Sine, element-wise.")
cos = unary("cos", "Cosine, element-wise.")
tan = unary("tan", "Tangent, element-wise.")
arcsin = unary("arcsin", "Inverse sine, element-wise; NaN outside [-1, 1].")
asin = arcsin
arccos = unary("arccos", "Inverse cosine, element-wise; NaN outside [-1, 1].")
acos = arccos
arctan = unary("arctan", "Inverse tangent, element-wise.")
atan = arctan
arctan2 = binary(
    "arctan2", "Angle of the point (t2, t1).", dtype="The common dtype; float32 for integers.", parameters="x1, x2"
)
atan2 = arctan2
sinh = unary("sinh", "Hyperbolic sine, element-wise.")
cosh = unary("cosh", "Hyperbolic cosine, element-wise.")
tanh = unary("tanh", "Hyperbolic tangent, element-wise.")
arcsinh = unary("arcsinh", "Inverse hyperbolic sine, element-wise.")
asinh = arcsinh
arccosh = unary("arccosh", "Inverse hyperbolic cosine, element-wise; NaN below 1.")
acosh = arccosh
arctanh = unary("arctanh", "Inverse hyperbolic tangent, element-wise; NaN outside [-1, 1].")
atanh = arctanh
degrees = unary("degrees", "Radians as degrees, element-wise.")
rad2deg = degrees
radians = unary("radians", "Degrees as radians, element-wise.")
deg2rad = radians
sinc = unary("sinc", "sin(pi x) / (pi x), 1 at zero.")
