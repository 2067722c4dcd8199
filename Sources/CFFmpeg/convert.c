// SPDX-License-Identifier: Apache-2.0

#include "internal.h"
#include <libavutil/imgutils.h>
#include <libavutil/pixdesc.h>
#include <math.h>
#include <string.h>

#if defined(__x86_64__) && defined(__linux__)
#define CFF_HOT __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CFF_HOT
#endif

// Players take untagged video of HD size for BT.709 and smaller ones for BT.601; so is it here.
static enum AVColorSpace settled(enum AVColorSpace space, int height) {
  if (space != AVCOL_SPC_UNSPECIFIED && space != AVCOL_SPC_RESERVED) return space;
  return height >= 720 ? AVCOL_SPC_BT709 : AVCOL_SPC_SMPTE170M;
}

cff_matrix cff_matrix_for(enum AVColorSpace space, bool full_range, int height) {
  double red = 0.299, blue = 0.114;
  switch (settled(space, height)) {
  case AVCOL_SPC_BT709: red = 0.2126, blue = 0.0722; break;
  case AVCOL_SPC_FCC: red = 0.30, blue = 0.11; break;
  case AVCOL_SPC_SMPTE240M: red = 0.212, blue = 0.087; break;
  case AVCOL_SPC_BT2020_NCL:
  case AVCOL_SPC_BT2020_CL: red = 0.2627, blue = 0.0593; break;
  default: break;
  }
  const double green = 1 - red - blue, one = 65536;
  const double luma = full_range ? 1 : 255.0 / 219, chroma = full_range ? 1 : 255.0 / 224;
  return (cff_matrix){
    .y_offset = full_range ? 0 : 16,
    .y_factor = (int)lrint(luma * one),
    .red_v = (int)lrint(2 * (1 - red) * chroma * one),
    .green_u = (int)lrint(-2 * blue * (1 - blue) / green * chroma * one),
    .green_v = (int)lrint(-2 * red * (1 - red) / green * chroma * one),
    .blue_u = (int)lrint(2 * (1 - blue) * chroma * one),
  };
}

static inline uint8_t clamped(int value) {
  return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

// Each chroma sample serves its 2 × 2 pixels. Two pixels a turn, so that the loop vectorises.
CFF_HOT static void row_to_bgr(
  const uint8_t *restrict y, const uint8_t *restrict u, const uint8_t *restrict v, int pairs,
  cff_matrix m, uint8_t *restrict out
) {
  for (int i = 0; i < pairs; i++) {
    const int cu = u[i] - 128, cv = v[i] - 128;
    const int blue = m.blue_u * cu + 32768, red = m.red_v * cv + 32768;
    const int green = m.green_u * cu + m.green_v * cv + 32768;
    const int first = m.y_factor * (y[2 * i] - m.y_offset);
    const int second = m.y_factor * (y[2 * i + 1] - m.y_offset);
    out[6 * i] = clamped((first + blue) >> 16);
    out[6 * i + 1] = clamped((first + green) >> 16);
    out[6 * i + 2] = clamped((first + red) >> 16);
    out[6 * i + 3] = clamped((second + blue) >> 16);
    out[6 * i + 4] = clamped((second + green) >> 16);
    out[6 * i + 5] = clamped((second + red) >> 16);
  }
}

void cff_planes_to_bgr(const cff_planes *planes, const cff_matrix *matrix, uint8_t *out) {
  const int pairs = planes->width / 2;
  for (int row = 0; row < planes->height; row++, out += (size_t)planes->width * 3) {
    const uint8_t *y = planes->y + row * planes->y_stride;
    const uint8_t *u = planes->u + row / 2 * planes->c_stride;
    const uint8_t *v = planes->v + row / 2 * planes->c_stride;
    row_to_bgr(y, u, v, pairs, *matrix, out);
    if (planes->width & 1) {
      const uint8_t last[2] = {y[2 * pairs], y[2 * pairs]};
      uint8_t both[6];
      row_to_bgr(last, u + pairs, v + pairs, 1, *matrix, both);
      memcpy(out + 6 * (size_t)pairs, both, 3);
    }
  }
}

static bool is_full_range(const AVFrame *frame) {
  switch (frame->format) {
  case AV_PIX_FMT_YUVJ420P:
  case AV_PIX_FMT_YUVJ422P:
  case AV_PIX_FMT_YUVJ444P:
  case AV_PIX_FMT_YUVJ440P:
  case AV_PIX_FMT_YUVJ411P: return true;
  default: return frame->color_range == AVCOL_RANGE_JPEG;
  }
}

static bool is_plain(const AVFrame *frame, int width, int height) {
  return frame->width == width && frame->height == height && frame->linesize[1] == frame->linesize[2]
    && (frame->format == AV_PIX_FMT_YUV420P || frame->format == AV_PIX_FMT_YUVJ420P)
    && frame->colorspace != AVCOL_SPC_RGB && frame->colorspace != AVCOL_SPC_YCGCO;
}

// libswscale writes past the end of short rows, so it gets padded ones of its own.
static cff_code reserve(cff_converter *converter, int width, int height, cff_error *error) {
  AVFrame *scaled = converter->scaled;
  if (scaled && scaled->width == width && scaled->height == height) return cff_ok;
  av_frame_free(&converter->scaled);
  if (!(scaled = av_frame_alloc())) return cff_fail(error, cff_out_of_memory, "no memory");
  scaled->format = AV_PIX_FMT_BGR24;
  scaled->width = width;
  scaled->height = height;
  converter->scaled = scaled;
  const int status = av_frame_get_buffer(scaled, 0);
  return status < 0 ? cff_fail_av(error, status, cff_out_of_memory, "a scaled picture") : cff_ok;
}

static cff_code scale(
  cff_converter *converter, const AVFrame *frame, int width, int height, cff_error *error
) {
  const bool resizes = frame->width != width || frame->height != height;
  const int flags = SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT
    | (resizes && frame->width > width ? SWS_AREA : SWS_BILINEAR);
  converter->scaler = sws_getCachedContext(
    converter->scaler, frame->width, frame->height, (enum AVPixelFormat)frame->format, width,
    height, AV_PIX_FMT_BGR24, flags, NULL, NULL, NULL);
  if (!converter->scaler) {
    const char *name = av_get_pix_fmt_name((enum AVPixelFormat)frame->format);
    return cff_fail(
      error, cff_unsupported, "cannot turn %d×%d pixels of the format %s into BGR", frame->width,
      frame->height, name ? name : "?");
  }
  const int *table = sws_getCoefficients((int)settled(frame->colorspace, frame->height));
  const int *rgb = sws_getCoefficients(SWS_CS_DEFAULT);
  sws_setColorspaceDetails(
    converter->scaler, table, is_full_range(frame), rgb, 1, 0, 1 << 16, 1 << 16);
  const int rows = sws_scale(
    converter->scaler, (const uint8_t *const *)frame->data, frame->linesize, 0, frame->height,
    converter->scaled->data, converter->scaled->linesize);
  return rows == height ? cff_ok : cff_fail(error, cff_unknown, "libswscale gave %d rows", rows);
}

cff_code cff_convert(
  cff_converter *converter, const AVFrame *frame, int width, int height, uint8_t *out,
  cff_error *error
) {
  if (is_plain(frame, width, height)) {
    const cff_planes planes = {
      frame->data[0], frame->data[1], frame->data[2], frame->linesize[0], frame->linesize[1],
      width, height,
    };
    const cff_matrix matrix = cff_matrix_for(frame->colorspace, is_full_range(frame), height);
    cff_planes_to_bgr(&planes, &matrix, out);
    return cff_ok;
  }
  cff_code code = reserve(converter, width, height, error);
  if (code == cff_ok) code = scale(converter, frame, width, height, error);
  if (code != cff_ok) return code;
  av_image_copy_plane(
    out, width * 3, converter->scaled->data[0], converter->scaled->linesize[0], width * 3, height);
  return cff_ok;
}

void cff_converter_close(cff_converter *converter) {
  sws_freeContext(converter->scaler);
  av_frame_free(&converter->scaled);
  converter->scaler = NULL;
}

cff_code cff_scale_bgr(
  const uint8_t *in, int width, int height, uint8_t *out, int out_width, int out_height,
  cff_error *error
) {
  cff_listen();
  AVFrame *frame = av_frame_alloc();
  if (!frame) return cff_fail(error, cff_out_of_memory, "no memory");
  frame->format = AV_PIX_FMT_BGR24;
  frame->width = width;
  frame->height = height;
  cff_converter converter = {0};
  const int status = av_frame_get_buffer(frame, 0);
  cff_code code = status < 0 ? cff_fail_av(error, status, cff_out_of_memory, "scaling") : cff_ok;
  if (code == cff_ok) {
    av_image_copy_plane(frame->data[0], frame->linesize[0], in, width * 3, width * 3, height);
    code = cff_convert(&converter, frame, out_width, out_height, out, error);
  }
  cff_converter_close(&converter);
  av_frame_free(&frame);
  return code;
}
