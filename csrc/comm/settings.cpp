// SPDX-License-Identifier: BSD-3-Clause
#include "comm/settings.hpp"

#include <cstdlib>
#include <string>

namespace eh {
namespace {

bool flag(const char* name, bool fallback) {
  const char* text = std::getenv(name);
  return text == nullptr || *text == '\0' ? fallback : std::string(text) != "0";
}

std::int64_t number(const char* name, std::int64_t fallback) {
  const char* text = std::getenv(name);
  return text == nullptr || *text == '\0' ? fallback : std::strtoll(text, nullptr, 10);
}

}  // namespace

const Settings& settings() {
  static const Settings read = {flag("EQUIHEAT_CHECK", false), flag("EQUIHEAT_SHM", true),
                                number("EQUIHEAT_PULL", 1), number("EQUIHEAT_SHM_LEAST", 0)};
  return read;
}

}  // namespace eh
