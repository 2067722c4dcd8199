// SPDX-License-Identifier: Apache-2.0
// From scores to labels, labels along motion, pixels to numbers. Nothing here has a gradient.
#include "kernels.hpp"

#include <algorithm>

#include "parallel.hpp"

namespace ct::backend {

static Grid scores_grid(const at::Tensor &scores) {
  const Grid grid = grid_of(scores);
  if (grid.channels < 1 || grid.channels > 256)
    throw Failure(ct_bad_shape, "labels are of 1 to 256 classes, not " +
                                  std::to_string(grid.channels));
  return grid;
}

static at::Tensor empty_labels(const Grid &grid) {
  return at::empty({grid.count, grid.height, grid.width}, at::kByte);
}

static at::Tensor argmax_labels(const at::Tensor &scores) {
  const auto values = dense(scores);
  const Grid grid = scores_grid(values);
  auto labels = empty_labels(grid);
  if (labels.numel() == 0) return labels;
  over_images(grid, grid.height, grid.width * grid.channels,
              [&](int64_t image, int32_t begin, int32_t end) {
                ck_argmax(values.data_ptr<float>() + image * grid.image(), grid.shape(),
                          labels.data_ptr<uint8_t>() + image * grid.cells(), begin, end);
              });
  return labels;
}

ct_code ct_argmax_labels(ct_tensor_ref scores, ct_tensor_ref *out, ct_error *error) noexcept {
  return give(out, error, {scores}, [&] { return argmax_labels(scores->value.detach()); });
}

/// Whole multiples of the grid, in bands of rows; the highest scores too where there is a place for them.
static at::Tensor multiplied_labels(const at::Tensor &values, const Grid &grid, int32_t down,
                                    int32_t across, at::Tensor *tops) {
  const int64_t height = grid.height * down, width = grid.width * across, rows = 16;
  auto labels = at::empty({grid.count, height, width}, at::kByte);
  if (tops) *tops = at::empty({grid.count, height, width}, at::kFloat);
  float *const top = tops ? tops->data_ptr<float>() : nullptr;
  const int64_t bands = (height + rows - 1) / rows;
  const int64_t size = 3 * grid.channels * ck_resized_plane(int32_t(grid.width));
  auto memory = at::empty({workers() * size}, at::kFloat);
  in_threads(grid.count * bands, [&](int64_t job, int32_t worker) {
    const int64_t image = job / bands, begin = job % bands * rows;
    ck_resized_argmax(values.data_ptr<float>() + image * grid.image(), grid.shape(), down, across,
                      memory.data_ptr<float>() + worker * size,
                      labels.data_ptr<uint8_t>() + image * height * width,
                      top ? top + image * height * width : nullptr, int32_t(begin),
                      int32_t(std::min(begin + rows, height)));
  });
  return labels;
}

static at::Tensor resized_labels(const at::Tensor &scores, int64_t height, int64_t width,
                                 at::Tensor *tops) {
  const auto values = dense(scores.detach());
  const Grid grid = scores_grid(values);
  const int64_t most = 64;
  if (height < 1 || width < 1) throw Failure(ct_bad_shape, "labels of no cell");
  const bool is_same = height == grid.height && width == grid.width;
  const bool is_multiple = values.numel() > 0 && height % grid.height == 0 &&
                           width % grid.width == 0 && height / grid.height <= most &&
                           width / grid.width <= most;
  if (is_multiple && !(is_same && !tops))
    return multiplied_labels(values, grid, int32_t(height / grid.height),
                             int32_t(width / grid.width), tops);
  const auto resized =
      is_same ? values : at::upsample_bilinear2d(values, {height, width}, false);
  if (tops) *tops = resized.amax(1);
  return argmax_labels(resized);
}

ct_code ct_resized_argmax(ct_tensor_ref scores, int64_t height, int64_t width, ct_tensor_ref *out,
                          ct_error *error) noexcept {
  return give(out, error, {scores},
              [&] { return resized_labels(scores->value, height, width, nullptr); });
}

ct_code ct_resized_best(ct_tensor_ref scores, int64_t height, int64_t width, ct_tensor_ref *outs,
                        ct_error *error) noexcept {
  return guarded(error, {scores}, [&] {
    at::Tensor tops;
    const auto labels = resized_labels(scores->value, height, width, &tops);
    hand_out({labels, tops}, outs);
  });
}

ct_code ct_warp_argmax(ct_tensor_ref scores, ct_tensor_ref motion, ct_tensor_ref known,
                       ct_border_kind border, ct_tensor_ref *out, ct_error *error) noexcept {
  return give(out, error, {scores, motion}, [&] {
    const auto values = dense(scores->value.detach());
    const Grid grid = scores_grid(values);
    const Motion along{motion_values(motion->value.detach(), grid), known_marks(known, grid)};
    auto labels = empty_labels(grid);
    if (labels.numel() == 0) return labels;
    over_images(grid, grid.height, grid.width * grid.channels,
                [&](int64_t image, int32_t begin, int32_t end) {
                  const ck_motion here = along.of(image);
                  ck_warp_argmax(values.data_ptr<float>() + image * grid.image(), grid.shape(),
                                 &here, border_of(border),
                                 labels.data_ptr<uint8_t>() + image * grid.cells(), begin, end);
                });
    return labels;
  });
}

ct_code ct_warp_labels(ct_tensor_ref labels, ct_tensor_ref motion, ct_tensor_ref known,
                       ct_border_kind border, uint8_t outside, ct_tensor_ref *out,
                       ct_error *error) noexcept {
  return give(out, error, {labels, motion}, [&] {
    const auto &given = labels->value;
    if (given.scalar_type() != at::kByte) throw Failure(ct_bad_type, "labels are bytes");
    if (given.dim() != 3) throw Failure(ct_bad_shape, "labels are N × H × W, not " + shape(given));
    require_cpu(given);
    const auto from = given.contiguous();
    const Grid grid = grid_of(from.unsqueeze(1));
    const Motion along{motion_values(motion->value.detach(), grid), known_marks(known, grid)};
    auto carried = empty_labels(grid);
    if (carried.numel() == 0) return carried;
    over_images(grid, grid.height, grid.width,
                [&](int64_t image, int32_t begin, int32_t end) {
                  const ck_motion here = along.of(image);
                  const int64_t at = image * grid.cells();
                  ck_warp_labels(from.data_ptr<uint8_t>() + at, int32_t(grid.height),
                                 int32_t(grid.width), &here, border_of(border), outside,
                                 carried.data_ptr<uint8_t>() + at, begin, end);
                });
    return carried;
  });
}

ct_code ct_pixels(const uint8_t *pixels, int64_t stride, int64_t height, int64_t width,
                  const ct_pixel_options *options, ct_tensor_ref *out, ct_error *error) noexcept {
  return give(out, error, {}, [&] {
    const auto layout = options->channels_last ? ck_channels_last : ck_planar;
    auto numbers = at::empty({1, 3, height, width},
                             at::dtype(at::kFloat).memory_format(format(layout)));
    const Grid grid = grid_of(numbers);
    if (numbers.numel() == 0) return numbers;
    ck_affine affine;
    std::copy_n(options->mean, 3, affine.mean);
    std::copy_n(options->deviation, 3, affine.deviation);
    std::copy_n(options->scale, 3, affine.scale);
    over_images(grid, height, 3 * width, [&](int64_t, int32_t begin, int32_t end) {
      ck_pixels(pixels, stride, int32_t(height), int32_t(width), &affine, options->reversed, layout,
                numbers.data_ptr<float>(), begin, end);
    });
    return numbers;
  });
}

}  // namespace ct::backend
