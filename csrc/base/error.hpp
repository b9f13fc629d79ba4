// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

/// Exceptions of the core. Bindings map each to the Python type NumPy would raise.
namespace eh {

struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};
struct ValueError : Error {  // Python ValueError
  using Error::Error;
};
struct AxisError : ValueError {  // equiheat.errors.AxisError, a ValueError and an IndexError as NumPy's
  using ValueError::ValueError;
};
struct TypeError : Error {  // Python TypeError
  using Error::Error;
};
struct OverflowError : Error {  // Python OverflowError
  using Error::Error;
};
struct IndexError : Error {  // Python IndexError
  using Error::Error;
};
struct NotSupported : Error {  // Python NotImplementedError
  using Error::Error;
};
struct CommError : Error {  // equiheat.CommunicationError
  using Error::Error;
};
struct DeviceError : Error {  // equiheat.DeviceError
  using Error::Error;
};

/// Joins its arguments into one message with operator<<.
template <typename... Parts>
std::string message(const Parts&... parts) {
  std::ostringstream out;
  out << std::boolalpha;
  (out << ... << parts);
  return out.str();
}

}  // namespace eh

/// Throws eh::Kind when the condition is false; the message is built only then.
/// Form: EH_CHECK(axis < ndim, ValueError, "sum: axis ", axis, " is out of range ...").
#define EH_CHECK(cond, Kind, ...)                   \
  do {                                              \
    if (!(cond)) [[unlikely]]                       \
      throw ::eh::Kind(::eh::message(__VA_ARGS__)); \
  } while (false)
