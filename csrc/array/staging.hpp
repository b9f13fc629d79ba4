// SPDX-License-Identifier: BSD-3-Clause
#pragma once

namespace eh {

/// Lets messages of tensors on a GPU travel through host memory, behind the work queued on torch's current
/// stream of that GPU. Nothing happens in a build without CUDA. Idempotent.
void install_staging();

}  // namespace eh
