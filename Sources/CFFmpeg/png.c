// SPDX-License-Identifier: Apache-2.0

#include "internal.h"
#include <libavutil/opt.h>
#include <string.h>

static enum AVPixelFormat format_of(cff_png_kind kind) {
  switch (kind) {
  case cff_png_grey8: return AV_PIX_FMT_GRAY8;
  case cff_png_bgr8: return AV_PIX_FMT_RGB24;
  case cff_png_palette8: return AV_PIX_FMT_PAL8;
  case cff_png_grey16: return AV_PIX_FMT_GRAY16BE;
  case cff_png_rgb16: return AV_PIX_FMT_RGB48BE;
  }
  return AV_PIX_FMT_NONE;
}

static void fill_row(const void *samples, int y, int width, cff_png_kind kind, uint8_t *out) {
  const size_t row = (size_t)y * (size_t)width;
  const int channels = kind == cff_png_bgr8 || kind == cff_png_rgb16 ? 3 : 1;
  if (kind == cff_png_bgr8) {
    const uint8_t *in = (const uint8_t *)samples + row * 3;
    for (int x = 0; x < width; x++, in += 3, out += 3)
      out[0] = in[2], out[1] = in[1], out[2] = in[0];
  } else if (kind == cff_png_grey16 || kind == cff_png_rgb16) {
    const uint16_t *in = (const uint16_t *)samples + row * (size_t)channels;
    for (int i = 0; i < width * channels; i++, out += 2)
      out[0] = (uint8_t)(in[i] >> 8), out[1] = (uint8_t)in[i];
  } else {
    memcpy(out, (const uint8_t *)samples + row, (size_t)width);
  }
}

static void fill_palette(const uint8_t *palette, uint8_t *out) {
  for (int i = 0; i < 256; i++, palette += 3, out += 4) {
    const uint32_t colour =
      0xFF000000u | (uint32_t)palette[0] << 16 | (uint32_t)palette[1] << 8 | palette[2];
    memcpy(out, &colour, 4);
  }
}

static cff_code make_frame(
  const void *samples, int width, int height, cff_png_kind kind, const uint8_t *palette,
  AVFrame *frame, cff_error *error
) {
  frame->format = format_of(kind);
  frame->width = width;
  frame->height = height;
  const int status = av_frame_get_buffer(frame, 0);
  if (status < 0) return cff_fail_av(error, status, cff_out_of_memory, "a PNG");
  for (int y = 0; y < height; y++)
    fill_row(samples, y, width, kind, frame->data[0] + y * frame->linesize[0]);
  if (kind == cff_png_palette8) fill_palette(palette, frame->data[1]);
  return cff_ok;
}

static cff_code encode(
  AVCodecContext *encoder, const AVFrame *frame, cff_bytes *out, cff_error *error
) {
  AVPacket *packet = av_packet_alloc();
  if (!packet) return cff_fail(error, cff_out_of_memory, "no memory for a PNG");
  int status = avcodec_send_frame(encoder, frame);
  if (status >= 0) status = avcodec_receive_packet(encoder, packet);
  cff_code code = cff_ok;
  if (status < 0) {
    code = cff_fail_av(error, status, cff_unwritable, "cannot encode a PNG");
  } else {
    uint8_t *copy = av_memdup(packet->data, (size_t)packet->size);
    if (copy) *out = (cff_bytes){copy, (size_t)packet->size};
    else code = cff_fail(error, cff_out_of_memory, "no memory for a PNG");
  }
  av_packet_free(&packet);
  return code;
}

// Photographs gain from prediction; few distinct values, as in label maps, lose by it.
static cff_code start(AVCodecContext *encoder, const AVFrame *frame, cff_error *error) {
  const bool flat = frame->format == AV_PIX_FMT_PAL8 || frame->format == AV_PIX_FMT_GRAY8;
  encoder->width = frame->width;
  encoder->height = frame->height;
  encoder->pix_fmt = (enum AVPixelFormat)frame->format;
  encoder->time_base = (AVRational){1, 1};
  encoder->thread_count = 1;
  encoder->compression_level = flat ? 6 : 4;
  av_opt_set(encoder->priv_data, "pred", flat ? "none" : "paeth", 0);
  const int status = avcodec_open2(encoder, encoder->codec, NULL);
  return status < 0 ? cff_fail_av(error, status, cff_unsupported, "cannot encode a PNG") : cff_ok;
}

cff_code cff_png_encode(
  const void *samples, int width, int height, cff_png_kind kind, const uint8_t *palette,
  cff_bytes *out, cff_error *error
) {
  cff_listen();
  const AVCodec *codec = avcodec_find_encoder(AV_CODEC_ID_PNG);
  AVCodecContext *encoder = codec ? avcodec_alloc_context3(codec) : NULL;
  AVFrame *frame = av_frame_alloc();
  cff_code code = encoder && frame
    ? make_frame(samples, width, height, kind, palette, frame, error)
    : cff_fail(error, cff_unsupported, "this libavcodec does not write PNG");
  if (code == cff_ok) code = start(encoder, frame, error);
  if (code == cff_ok) code = encode(encoder, frame, out, error);
  av_frame_free(&frame);
  avcodec_free_context(&encoder);
  return code;
}
