// SPDX-License-Identifier: Apache-2.0

#include "internal.h"
#include <libavutil/pixdesc.h>
#include <stdlib.h>
#include <string.h>

struct cff_still {
  cff_jpeg *jpeg;
  AVFrame *frame;
  /// What one grey step of a PNG of 2 or 4 bits was stretched to; 1 otherwise.
  int grey_step;
  /// Exif's, of what is in `frame`.
  int orientation;
  /// Whether 16 bits become 8 by rounding rather than by dropping the lower ones.
  bool rounds;
};

// MARK: decoding

static bool begins(const uint8_t *bytes, size_t count, const char *magic, size_t length) {
  return count >= length && memcmp(bytes, magic, length) == 0;
}

static enum AVCodecID codec_of(const uint8_t *bytes, size_t count) {
  if (begins(bytes, count, "\x89PNG\r\n\x1A\n", 8)) return AV_CODEC_ID_PNG;
  if (begins(bytes, count, "\xFF\xD8\xFF", 3)) return AV_CODEC_ID_MJPEG;
  if (begins(bytes, count, "RIFF", 4) && count >= 12 && memcmp(bytes + 8, "WEBP", 4) == 0)
    return AV_CODEC_ID_WEBP;
  if (begins(bytes, count, "BM", 2)) return AV_CODEC_ID_BMP;
  if (begins(bytes, count, "II*\0", 4) || begins(bytes, count, "MM\0*", 4)) return AV_CODEC_ID_TIFF;
  if (count < 3 || bytes[0] != 'P') return AV_CODEC_ID_NONE;
  switch (bytes[1]) {
  case '1':
  case '4': return AV_CODEC_ID_PBM;
  case '2':
  case '5': return AV_CODEC_ID_PGM;
  case '3':
  case '6': return AV_CODEC_ID_PPM;
  default: return AV_CODEC_ID_NONE;
  }
}

static cff_code decode(
  AVCodecContext *decoder, const uint8_t *bytes, size_t count, AVFrame *frame, cff_error *error
) {
  AVPacket *packet = av_packet_alloc();
  if (!packet || av_new_packet(packet, (int)count) < 0) {
    av_packet_free(&packet);
    return cff_fail(error, cff_out_of_memory, "no memory for a picture");
  }
  memcpy(packet->data, bytes, count);
  int status = avcodec_send_packet(decoder, packet);
  if (status >= 0) status = avcodec_send_packet(decoder, NULL);
  if (status >= 0) status = avcodec_receive_frame(decoder, frame);
  av_packet_free(&packet);
  if (status < 0) return cff_fail_av(error, status, cff_damaged_data, "damaged picture");
  if (frame->decode_error_flags || (frame->flags & AV_FRAME_FLAG_CORRUPT))
    return cff_fail(error, cff_damaged_data, "damaged picture: %s", cff_last_complaint());
  return cff_ok;
}

static cff_code decode_as(
  enum AVCodecID id, const uint8_t *bytes, size_t count, int64_t max_pixels, AVFrame *frame,
  cff_error *error
) {
  const AVCodec *codec = avcodec_find_decoder(id);
  AVCodecContext *decoder = codec ? avcodec_alloc_context3(codec) : NULL;
  if (!decoder) return cff_fail(error, cff_unsupported, "no decoder for %s", avcodec_get_name(id));
  decoder->max_pixels = max_pixels;
  cff_limit(max_pixels);
  decoder->thread_count = 1;
  // A TIFF may hold tags that libavcodec does not know, which is no damage.
  if (id != AV_CODEC_ID_TIFF) decoder->err_recognition = AV_EF_CRCCHECK | AV_EF_EXPLODE;
  const int status = avcodec_open2(decoder, codec, NULL);
  uint8_t *prepared = NULL;
  cff_code code = cff_ok;
  if (status < 0) code = cff_fail_av(error, status, cff_unknown, "the decoder would not start");
  else if (id == AV_CODEC_ID_PNG)
    code = cff_png_prepare(bytes, count, max_pixels, &prepared, &count, error);
  if (code == cff_ok) code = decode(decoder, prepared ? prepared : bytes, count, frame, error);
  free(prepared);
  avcodec_free_context(&decoder);
  return code;
}

// PNG: IHDR holds the bit depth at byte 24 and the kind of colour, 0 for grey, at byte 25.
static int grey_step(enum AVCodecID id, const uint8_t *bytes, size_t count) {
  if (id != AV_CODEC_ID_PNG || count < 26 || bytes[25] != 0) return 1;
  return bytes[24] == 2 ? 0x55 : bytes[24] == 4 ? 0x11 : 1;
}

cff_code cff_still_open(
  const uint8_t *bytes, size_t count, int64_t max_pixels, cff_still **out, cff_error *error
) {
  cff_listen();
  const enum AVCodecID id = codec_of(bytes, count);
  if (id == AV_CODEC_ID_NONE)
    return cff_fail(error, cff_not_media, "not a PNG, JPEG, WebP, BMP, TIFF or PNM picture");
  if (count > INT32_MAX - 1024) return cff_fail(error, cff_too_large, "more than 2 GiB");
  cff_still *still = calloc(1, sizeof *still);
  if (!still) return cff_fail(error, cff_out_of_memory, "no memory for a picture");
  still->grey_step = grey_step(id, bytes, count);
  still->orientation = cff_orientation_of_still(id, bytes, count);
  // As OpenCV does it: rounded in TIFF, cut off elsewhere.
  still->rounds = id == AV_CODEC_ID_TIFF;
  cff_code code;
  if (id == AV_CODEC_ID_MJPEG)
    code = cff_jpeg_open(bytes, count, max_pixels, &still->jpeg, error);
  else if ((still->frame = av_frame_alloc()))
    code = decode_as(id, bytes, count, max_pixels, still->frame, error);
  else
    code = cff_fail(error, cff_out_of_memory, "no memory for a picture");
  if (code == cff_ok)
    *out = still;
  else
    cff_still_close(still);
  return code;
}

void cff_still_close(cff_still *still) {
  if (!still) return;
  cff_jpeg_close(still->jpeg);
  av_frame_free(&still->frame);
  free(still);
}

// MARK: samples

static const AVPixFmtDescriptor *described(const AVFrame *frame) {
  return av_pix_fmt_desc_get((enum AVPixelFormat)frame->format);
}

// Whether every sample fills 8 or 16 bits: grey or RGB, with or without alpha.
static bool is_direct(const AVPixFmtDescriptor *format) {
  if (format->flags & (AV_PIX_FMT_FLAG_PAL | AV_PIX_FMT_FLAG_BITSTREAM | AV_PIX_FMT_FLAG_FLOAT))
    return false;
  if (format->nb_components > 2 && !(format->flags & AV_PIX_FMT_FLAG_RGB)) return false;
  for (int c = 0; c < format->nb_components; c++)
    if ((format->comp[c].depth != 8 && format->comp[c].depth != 16) || format->comp[c].shift)
      return false;
  return true;
}

static int channels_of(const AVPixFmtDescriptor *format) {
  return format->nb_components <= 2 ? 1 : 3;
}

cff_still_info cff_still_describe(const cff_still *still) {
  cff_still_info info = {0};
  if (still->jpeg) {
    cff_jpeg_describe(still->jpeg, &info);
    return info;
  }
  const AVPixFmtDescriptor *format = described(still->frame);
  const bool swaps = cff_swaps(still->orientation);
  info = (cff_still_info){
    .width = swaps ? still->frame->height : still->frame->width,
    .height = swaps ? still->frame->width : still->frame->height,
    .channels = is_direct(format) ? channels_of(format) : 3,
    .bits = is_direct(format) && format->comp[0].depth == 16 ? 16 : 8,
    .is_label_map = still->frame->format == AV_PIX_FMT_PAL8
      || still->frame->format == AV_PIX_FMT_GRAY8 || still->frame->format == AV_PIX_FMT_MONOBLACK,
  };
  return info;
}

static inline uint16_t wide(const uint8_t *in, bool little) {
  return (uint16_t)(in[little ? 1 : 0] << 8 | in[little ? 0 : 1]);
}

// Component `c` as 8 bits into every third byte.
static void copy_component(const AVFrame *frame, int c, bool rounds, uint8_t *out) {
  const AVPixFmtDescriptor *format = described(frame);
  const AVComponentDescriptor *component = &format->comp[c];
  const bool little = !(format->flags & AV_PIX_FMT_FLAG_BE);
  for (int y = 0; y < frame->height; y++) {
    const uint8_t *in = frame->data[component->plane] + y * frame->linesize[component->plane]
      + component->offset;
    for (int x = 0; x < frame->width; x++, out += 3, in += component->step) {
      if (component->depth == 8) *out = *in;
      else *out = (uint8_t)(rounds ? (wide(in, little) + 128) / 257 : wide(in, little) >> 8);
    }
  }
}

static void copy_direct(const AVFrame *frame, bool rounds, uint8_t *out) {
  const bool grey = channels_of(described(frame)) == 1;
  for (int c = 0; c < 3; c++) copy_component(frame, grey ? 0 : c, rounds, out + 2 - c);
}

static void copy_palette(const AVFrame *frame, uint8_t *out) {
  const uint32_t *palette = (const uint32_t *)(const void *)frame->data[1];
  for (int y = 0; y < frame->height; y++)
    for (int x = 0; x < frame->width; x++, out += 3) {
      const uint32_t colour = palette[frame->data[0][y * frame->linesize[0] + x]];
      out[0] = (uint8_t)colour;
      out[1] = (uint8_t)(colour >> 8);
      out[2] = (uint8_t)(colour >> 16);
    }
}

// One byte a pixel, `channels` times: `low` for a bit that is not set, `high` for one that is.
static void copy_bits(const AVFrame *frame, uint8_t low, uint8_t high, int channels, uint8_t *out) {
  for (int y = 0; y < frame->height; y++)
    for (int x = 0; x < frame->width; x++, out += channels) {
      const uint8_t byte = frame->data[0][y * frame->linesize[0] + x / 8];
      memset(out, byte >> (7 - x % 8) & 1 ? high : low, (size_t)channels);
    }
}

static cff_code copy_bgr(const cff_still *still, uint8_t *out, cff_error *error) {
  const AVFrame *frame = still->frame;
  if (frame->format == AV_PIX_FMT_MONOBLACK) copy_bits(frame, 0, 255, 3, out);
  else if (frame->format == AV_PIX_FMT_MONOWHITE) copy_bits(frame, 255, 0, 3, out);
  else if (frame->format == AV_PIX_FMT_PAL8) copy_palette(frame, out);
  else if (is_direct(described(frame))) copy_direct(frame, still->rounds, out);
  else {
    cff_converter converter = {0};
    const cff_code code =
      cff_convert(&converter, frame, frame->width, frame->height, out, error);
    cff_converter_close(&converter);
    return code;
  }
  return cff_ok;
}

static void copy_labels(const cff_still *still, uint8_t *out) {
  const AVFrame *frame = still->frame;
  if (frame->format == AV_PIX_FMT_MONOBLACK) return copy_bits(frame, 0, 1, 1, out);
  for (int y = 0; y < frame->height; y++)
    for (int x = 0; x < frame->width; x++)
      *out++ = frame->data[0][y * frame->linesize[0] + x] / still->grey_step;
}

static void copy_native(const AVFrame *frame, void *out) {
  const AVPixFmtDescriptor *format = described(frame);
  const int channels = channels_of(format);
  const bool little = !(format->flags & AV_PIX_FMT_FLAG_BE);
  for (int c = 0; c < channels; c++) {
    const AVComponentDescriptor *component = &format->comp[c];
    size_t at = (size_t)c;
    for (int y = 0; y < frame->height; y++) {
      const uint8_t *in =
        frame->data[component->plane] + y * frame->linesize[component->plane] + component->offset;
      for (int x = 0; x < frame->width; x++, in += component->step, at += (size_t)channels) {
        if (component->depth == 8) ((uint8_t *)out)[at] = *in;
        else ((uint16_t *)out)[at] = wide(in, little);
      }
    }
  }
}

// The samples as they are stored, `each` bytes a pixel.
static cff_code copy_stored(
  const cff_still *still, cff_samples samples, uint8_t *out, cff_error *error
) {
  if (samples == cff_samples_bgr8) return copy_bgr(still, out, error);
  if (samples == cff_samples_label8) copy_labels(still, out);
  else if (is_direct(described(still->frame))) copy_native(still->frame, out);
  else return cff_fail(error, cff_unsupported, "its samples are not of 8 or 16 bits");
  return cff_ok;
}

static cff_code copy_upright(
  const cff_still *still, cff_samples samples, size_t each, uint8_t *out, cff_error *error
) {
  if (still->orientation <= 1) return copy_stored(still, samples, out, error);
  const int width = still->frame->width, height = still->frame->height;
  uint8_t *stored = malloc((size_t)width * (size_t)height * each);
  if (!stored) return cff_fail(error, cff_out_of_memory, "no memory for a picture's pixels");
  const cff_code code = copy_stored(still, samples, stored, error);
  if (code == cff_ok) cff_turn(stored, width, height, still->orientation, each, out);
  free(stored);
  return code;
}

cff_code cff_still_copy(
  cff_still *still, cff_samples samples, void *out, size_t capacity, cff_error *error
) {
  const cff_still_info info = cff_still_describe(still);
  const size_t pixels = (size_t)info.width * (size_t)info.height;
  const size_t each = samples == cff_samples_bgr8 ? 3
    : samples == cff_samples_label8             ? 1
                                                : (size_t)(info.channels * info.bits / 8);
  if (capacity < pixels * each) return cff_fail(error, cff_unknown, "the buffer is too small");
  if (samples == cff_samples_label8 && !info.is_label_map)
    return cff_fail(
      error, cff_unsupported,
      "not a label map: a label map has one channel of at most 8 bits, or a palette");
  if (still->jpeg) {
    if (samples == cff_samples_native)
      return cff_fail(error, cff_unsupported, "a JPEG has no samples but 8-bit colours");
    return cff_jpeg_copy(still->jpeg, samples == cff_samples_label8, out, error);
  }
  return copy_upright(still, samples, each, out, error);
}
