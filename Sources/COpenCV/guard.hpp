// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "COpenCV.h"
#include <cstdio>
#include <exception>
#include <new>
#include <opencv2/core.hpp>
#include <stdexcept>

namespace cocv {

inline cocv_code fail(cocv_error *error, cocv_code code, const char *what) noexcept {
  if (error) std::snprintf(error->message, sizeof error->message, "%s", what);
  return code;
}

/// Which of our codes stands for one of OpenCV's.
inline cocv_code code(const cv::Exception &e) noexcept {
  return e.code == cv::Error::StsNoMem ? cocv_out_of_memory : cocv_bad_argument;
}

/// The one place where a C++ exception turns into a code: no `catch` anywhere else. Of OpenCV's
/// exceptions the short text is taken, without file and line.
template <class Body> cocv_code guarded(cocv_error *error, Body &&body) noexcept {
  try {
    body();
    return cocv_ok;
  } catch (const cv::Exception &e) {
    return fail(error, code(e), e.err.c_str());
  } catch (const std::invalid_argument &e) {
    return fail(error, cocv_bad_argument, e.what());
  } catch (const std::bad_alloc &e) {
    return fail(error, cocv_out_of_memory, e.what());
  } catch (const std::exception &e) {
    return fail(error, cocv_failed, e.what());
  } catch (...) {
    return fail(error, cocv_failed, "an exception that is no std::exception");
  }
}

inline void require(bool condition, const char *otherwise) {
  if (!condition) throw std::invalid_argument(otherwise);
}

/// A header over borrowed samples; nothing is copied and nothing is written through it.
inline cv::Mat view(const cocv_image &image) {
  require(image.bytes && image.width > 0 && image.height > 0, "an image without pixels");
  require(image.channels >= 1 && image.channels <= 4, "an image has one to four channels");
  return cv::Mat(image.height, image.width, CV_8UC(image.channels),
                 const_cast<uint8_t *>(image.bytes));
}

/// Throws unless `target` still lies at `out`, where the caller looks for the result.
inline void stayed(const cv::Mat &target, const void *out) {
  if (target.data != out) throw std::logic_error("OpenCV allocated a result of its own");
}

}  // namespace cocv
