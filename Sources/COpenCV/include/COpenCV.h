// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define COCV_NOEXCEPT noexcept
extern "C" {
#else
#define COCV_NOEXCEPT
#endif

#define COCV_EXPORT __attribute__((visibility("default")))

typedef enum cocv_code {
  cocv_ok = 0,
  cocv_bad_argument = 1,
  cocv_out_of_memory = 2,
  cocv_failed = 3
} cocv_code;

/// Filled in when, and only when, a call returns something other than `cocv_ok`.
typedef struct cocv_error {
  char message[256];
} cocv_error;

/// Borrowed 8-bit samples, height x width x channels, rows packed.
typedef struct cocv_image {
  const uint8_t *bytes;
  int32_t width, height, channels;
} cocv_image;

/// OpenCV's version, "4.6.0"; lives as long as the process.
COCV_EXPORT const char *cocv_version(void) COCV_NOEXCEPT;

/// How many threads OpenCV may use in this process from now on; 0 lets it choose.
COCV_EXPORT cocv_code cocv_set_threads(int32_t count, cocv_error *error) COCV_NOEXCEPT;
COCV_EXPORT int32_t cocv_threads(void) COCV_NOEXCEPT;

/// Writes height x width x `source.channels` bytes to `out`, bilinear.
COCV_EXPORT cocv_code cocv_resize(cocv_image source, int32_t width, int32_t height, uint8_t *out,
                                  cocv_error *error) COCV_NOEXCEPT;

/// Writes the luma of a blue, green, red image to `out`: height x width bytes.
COCV_EXPORT cocv_code cocv_grey(cocv_image source, uint8_t *out, cocv_error *error) COCV_NOEXCEPT;

/// An estimator with its work buffers. It is not safe to use one from two threads at a time;
/// release it once with `cocv_dis_release`.
typedef struct cocv_dis *cocv_dis_ref;

typedef enum cocv_dis_preset {
  cocv_dis_ultrafast = 0,
  cocv_dis_fast = 1,
  cocv_dis_medium = 2
} cocv_dis_preset;

/// What differs from OpenCV's defaults.
typedef struct cocv_dis_settings {
  cocv_dis_preset preset;
  /// Iterations of the variational refinement at each scale; negative: the preset's own.
  int32_t refinements;
  /// Whether patches are compared without their mean brightness, as OpenCV does by itself.
  int32_t normalizes_mean;
} cocv_dis_settings;

/// `*out` receives an estimator the caller owns.
COCV_EXPORT cocv_code cocv_dis_create(cocv_dis_settings settings, cocv_dis_ref *out,
                                      cocv_error *error) COCV_NOEXCEPT;

/// Writes height x width x (dx, dy) to `out`: what is at p in `first` is at p + (dx, dy) in
/// `second`. Both are one channel and of one size. What `out` held before is not looked at.
COCV_EXPORT cocv_code cocv_dis_flow(cocv_dis_ref dis, cocv_image first, cocv_image second,
                                    float *out, cocv_error *error) COCV_NOEXCEPT;
COCV_EXPORT void cocv_dis_release(cocv_dis_ref dis) COCV_NOEXCEPT;

/// The arguments of cv::calcOpticalFlowFarneback under its names.
typedef struct cocv_farneback {
  double pyramid_scale;
  int32_t levels, window, iterations, polynomial_neighbours;
  double polynomial_sigma;
  int32_t gaussian_window;
} cocv_farneback;

/// As `cocv_dis_flow`, by polynomial expansion.
COCV_EXPORT cocv_code cocv_farneback_flow(const cocv_farneback *settings, cocv_image first,
                                          cocv_image second, float *out,
                                          cocv_error *error) COCV_NOEXCEPT;

#ifdef __cplusplus
}
#endif
