// SPDX-License-Identifier: Apache-2.0
#include "guard.hpp"
#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <opencv2/video/tracking.hpp>

struct cocv_dis {
  cv::Ptr<cv::DISOpticalFlow> estimator;
  /// Coarsest halving of the frame that the preset still works on.
  int finest_scale;
};

namespace {

/// Gives a matrix the caller's memory when OpenCV asks for it.
///
/// DIS takes a result matrix that already has the right size for a first guess, and from then on
/// looks for one in every call. So it has to be handed an empty matrix, and this is how an empty
/// matrix comes to lie in the caller's buffer without a copy.
class Lender final : public cv::MatAllocator {
 public:
  Lender(void *memory, size_t size) : memory_(static_cast<uchar *>(memory)), size_(size) {}

  cv::UMatData *allocate(int dims, const int *sizes, int type, void *, size_t *steps,
                         cv::AccessFlag, cv::UMatUsageFlags) const override {
    size_t total = CV_ELEM_SIZE(type);
    for (int i = dims - 1; i >= 0; --i) {
      if (steps) steps[i] = total;
      total *= static_cast<size_t>(sizes[i]);
    }
    if (total != size_) throw std::logic_error("OpenCV's flow is not of the frames' size");
    auto *data = new cv::UMatData(this);
    data->data = data->origdata = memory_;
    data->size = total;
    data->flags |= cv::UMatData::USER_ALLOCATED;
    return data;
  }

  bool allocate(cv::UMatData *data, cv::AccessFlag, cv::UMatUsageFlags) const override {
    return data != nullptr;
  }

  void deallocate(cv::UMatData *data) const override {
    if (!data || data->urefcount || data->refcount) return;
    data->origdata = nullptr;
    delete data;
  }

 private:
  uchar *memory_;
  size_t size_;
};

/// Two grey images of one size, or an exception.
struct Pair {
  Pair(const cocv_image &one, const cocv_image &two)
      : first(cocv::view(one)), second(cocv::view(two)) {
    cocv::require(one.channels == 1 && two.channels == 1, "flow is estimated on grey images");
    cocv::require(first.size() == second.size(), "the two images differ in size");
  }
  size_t bytes() const { return first.total() * 2 * sizeof(float); }

  cv::Mat first, second;
};

constexpr int patch = 8;  // of every preset
/// Frames with a shorter side are made larger, by repeating their last column and row.
constexpr int least_side = 24;

cv::Mat extended(const cv::Mat &image) {
  cv::Mat larger;
  cv::copyMakeBorder(image, larger, 0, std::max(0, least_side - image.rows), 0,
                     std::max(0, least_side - image.cols), cv::BORDER_REPLICATE);
  return larger;
}

/// The coarsest halving DIS itself starts from: a patch still fits into the shorter side.
int coarsest_scale(const cv::Size &size) {
  const double length = std::max(size.width, size.height);
  const int by_length = static_cast<int>(std::log2(length / (4 * patch)) + 0.5);
  const int by_patch = static_cast<int>(std::log2(std::min(size.width, size.height) / patch));
  return std::min(by_length, by_patch);
}

/// Runs DIS where all its levels hold a patch. Left alone with smaller frames, OpenCV 4.6 picks new
/// settings by the frame's width, keeps them for later frames, and reads past its buffers when the
/// height is the shorter side.
void run(cocv_dis &dis, const Pair &pair, cv::Mat &flow) {
  dis.estimator->setFinestScale(std::min(dis.finest_scale, coarsest_scale(pair.first.size())));
  dis.estimator->calc(pair.first, pair.second, flow);
}

}  // namespace

cocv_code cocv_dis_create(cocv_dis_settings settings, cocv_dis_ref *out,
                          cocv_error *error) noexcept {
  return cocv::guarded(error, [&] {
    const cocv_dis_preset preset = settings.preset;
    cocv::require(preset >= cocv_dis_ultrafast && preset <= cocv_dis_medium, "no such DIS preset");
    auto estimator = cv::DISOpticalFlow::create(preset);
    estimator->setUseMeanNormalization(settings.normalizes_mean != 0);
    if (settings.refinements >= 0)
      estimator->setVariationalRefinementIterations(settings.refinements);
    *out = new cocv_dis{estimator, estimator->getFinestScale()};
  });
}

cocv_code cocv_dis_flow(cocv_dis_ref dis, cocv_image first, cocv_image second, float *out,
                        cocv_error *error) noexcept {
  return cocv::guarded(error, [&] {
    cocv::require(dis && out, "no estimator or no room for its result");
    Pair pair(first, second);
    const cv::Size size = pair.first.size();
    cv::Mat flow;
    if (std::min(size.width, size.height) < least_side) {
      pair.first = extended(pair.first);
      pair.second = extended(pair.second);
      run(*dis, pair, flow);
      flow(cv::Rect({0, 0}, size)).copyTo(cv::Mat(size, CV_32FC2, out));
    } else {
      Lender lender(out, pair.bytes());
      flow.allocator = &lender;
      run(*dis, pair, flow);
      cocv::stayed(flow, out);
      flow.release();  // before its allocator goes
    }
  });
}

void cocv_dis_release(cocv_dis_ref dis) noexcept { delete dis; }

cocv_code cocv_farneback_flow(const cocv_farneback *settings, cocv_image first, cocv_image second,
                              float *out, cocv_error *error) noexcept {
  return cocv::guarded(error, [&] {
    cocv::require(settings && out, "no settings or no room for the result");
    const Pair pair(first, second);
    cv::Mat flow(pair.first.size(), CV_32FC2, out);
    const int flags = settings->gaussian_window ? cv::OPTFLOW_FARNEBACK_GAUSSIAN : 0;
    cv::calcOpticalFlowFarneback(pair.first, pair.second, flow, settings->pyramid_scale,
                                 settings->levels, settings->window, settings->iterations,
                                 settings->polynomial_neighbours, settings->polynomial_sigma,
                                 flags);
    cocv::stayed(flow, out);
  });
}
