// SPDX-License-Identifier: Apache-2.0
#include "guard.hpp"
#include <opencv2/core/utility.hpp>
#include <opencv2/core/version.hpp>
#include <opencv2/imgproc.hpp>

const char *cocv_version(void) noexcept { return CV_VERSION; }

cocv_code cocv_set_threads(int32_t count, cocv_error *error) noexcept {
  return cocv::guarded(error, [&] {
    cocv::require(count >= 0, "a negative number of threads");
    // OpenCV takes 0 for "one thread, in the caller's own" and a negative number for its default.
    cv::setNumThreads(count == 0 ? -1 : count);
  });
}

int32_t cocv_threads(void) noexcept {
  int32_t count = 1;
  cocv::guarded(nullptr, [&] { count = cv::getNumThreads(); });
  return count;
}

cocv_code cocv_resize(cocv_image source, int32_t width, int32_t height, uint8_t *out,
                      cocv_error *error) noexcept {
  return cocv::guarded(error, [&] {
    cocv::require(out && width > 0 && height > 0, "a size that is not positive");
    const cv::Mat from = cocv::view(source);
    cv::Mat to(height, width, from.type(), out);
    cv::resize(from, to, to.size(), 0, 0, cv::INTER_LINEAR);
    cocv::stayed(to, out);
  });
}

cocv_code cocv_grey(cocv_image source, uint8_t *out, cocv_error *error) noexcept {
  return cocv::guarded(error, [&] {
    cocv::require(out && source.channels == 3, "only three channels can be turned grey");
    const cv::Mat from = cocv::view(source);
    cv::Mat to(from.size(), CV_8UC1, out);
    cv::cvtColor(from, to, cv::COLOR_BGR2GRAY);
    cocv::stayed(to, out);
  });
}
