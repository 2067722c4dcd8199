// SPDX-License-Identifier: Apache-2.0

#include "internal.h"
#include <libavutil/mem.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

enum { most_scans = 500 };

/// libjpeg leaves a failing call by longjmp; no call of ours holds anything across it.
typedef struct failure_trap {
  struct jpeg_error_mgr manager;
  jmp_buf back;
  char text[JMSG_LENGTH_MAX];
} failure_trap;

struct cff_jpeg {
  struct jpeg_decompress_struct decoder;
  struct jpeg_progress_mgr progress;
  failure_trap trap;
  uint8_t *bytes;
  uint8_t *row;
  uint8_t *upright;
  int orientation;
};

// MARK: failures

static void leave(j_common_ptr common) {
  failure_trap *trap = (failure_trap *)common->err;
  common->err->format_message(common, trap->text);
  longjmp(trap->back, 1);
}

// Files that end early go on in grey, which nobody should learn from; other warnings are harmless.
static void warn(j_common_ptr common, int level) {
  const int code = common->err->msg_code;
  if (level < 0 && (code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER)) leave(common);
}

static cff_code fail(const failure_trap *trap, cff_error *error) {
  if (trap->manager.msg_code == JERR_OUT_OF_MEMORY)
    return cff_fail(error, cff_out_of_memory, "JPEG: out of memory");
  return cff_fail(error, cff_damaged_data, "damaged JPEG: %s", trap->text);
}

static void stay_silent(j_common_ptr common) { (void)common; }

static struct jpeg_error_mgr *trapped(failure_trap *trap) {
  jpeg_std_error(&trap->manager);
  trap->manager.error_exit = leave;
  trap->manager.emit_message = warn;
  trap->manager.output_message = stay_silent;
  return &trap->manager;
}

static void limit_scans(j_common_ptr common) {
  if (((j_decompress_ptr)common)->input_scan_number > most_scans)
    ERREXIT(common, JERR_BAD_PROGRESSION);
}

// MARK: orientation (Exif 2.3, tag 0x0112)

static int orientation(const struct jpeg_decompress_struct *decoder) {
  for (jpeg_saved_marker_ptr marker = decoder->marker_list; marker; marker = marker->next)
    if (marker->data_length > 6 && memcmp(marker->data, "Exif\0", 6) == 0)
      return cff_orientation_in_tiff(marker->data + 6, marker->data_length - 6);
  return 1;
}

// MARK: decoding

cff_code cff_jpeg_open(
  const uint8_t *bytes, size_t count, int64_t max_pixels, cff_jpeg **out, cff_error *error
) {
  cff_jpeg *jpeg = calloc(1, sizeof *jpeg);
  if (!jpeg || !(jpeg->bytes = malloc(count))) {
    free(jpeg);
    return cff_fail(error, cff_out_of_memory, "no memory for a JPEG");
  }
  memcpy(jpeg->bytes, bytes, count);
  jpeg->decoder.err = trapped(&jpeg->trap);
  if (setjmp(jpeg->trap.back)) {
    const cff_code code = fail(&jpeg->trap, error);
    cff_jpeg_close(jpeg);
    return code;
  }
  jpeg_create_decompress(&jpeg->decoder);
  jpeg->progress.progress_monitor = limit_scans;
  jpeg->decoder.progress = &jpeg->progress;
  jpeg_mem_src(&jpeg->decoder, jpeg->bytes, count);
  jpeg_save_markers(&jpeg->decoder, JPEG_APP0 + 1, 0xFFFF);
  jpeg_read_header(&jpeg->decoder, TRUE);
  const int64_t width = jpeg->decoder.image_width, height = jpeg->decoder.image_height;
  if (cff_exceeds(width, height, max_pixels)) {
    cff_jpeg_close(jpeg);
    return cff_fail_large(error, width, height, max_pixels);
  }
  jpeg->orientation = orientation(&jpeg->decoder);
  *out = jpeg;
  return cff_ok;
}

void cff_jpeg_close(cff_jpeg *jpeg) {
  if (!jpeg) return;
  jpeg_destroy_decompress(&jpeg->decoder);
  free(jpeg->upright);
  free(jpeg->row);
  free(jpeg->bytes);
  free(jpeg);
}

void cff_jpeg_describe(const cff_jpeg *jpeg, cff_still_info *out) {
  const bool swaps = cff_swaps(jpeg->orientation);
  const int width = (int)jpeg->decoder.image_width, height = (int)jpeg->decoder.image_height;
  *out = (cff_still_info){
    .width = swaps ? height : width,
    .height = swaps ? width : height,
    .channels = jpeg->decoder.num_components == 1 ? 1 : 3,
    .bits = 8,
    .is_label_map = jpeg->decoder.num_components == 1,
  };
}

// As OpenCV does it: the inks are stored inverted.
static void cmyk_to_bgr(const uint8_t *row, int width, uint8_t *out) {
  for (int x = 0; x < width; x++, row += 4, out += 3)
    for (int c = 0; c < 3; c++)
      out[2 - c] = (uint8_t)(row[3] - ((255 - row[c]) * row[3] >> 8));
}

static void read_rows(cff_jpeg *jpeg, int channels, uint8_t *out) {
  struct jpeg_decompress_struct *decoder = &jpeg->decoder;
  const size_t stride = (size_t)decoder->output_width * (size_t)channels;
  while (decoder->output_scanline < decoder->output_height) {
    uint8_t *line = out + decoder->output_scanline * stride;
    JSAMPROW row = jpeg->row ? jpeg->row : line;
    jpeg_read_scanlines(decoder, &row, 1);
    if (jpeg->row) cmyk_to_bgr(jpeg->row, (int)decoder->output_width, line);
  }
}

cff_code cff_jpeg_copy(cff_jpeg *jpeg, bool grey, uint8_t *out, cff_error *error) {
  struct jpeg_decompress_struct *decoder = &jpeg->decoder;
  const int channels = grey ? 1 : 3;
  const size_t pixels = (size_t)decoder->image_width * decoder->image_height;
  const bool inks = decoder->num_components == 4;
  if (inks) jpeg->row = malloc((size_t)decoder->image_width * 4);
  if (jpeg->orientation > 1) jpeg->upright = malloc(pixels * (size_t)channels);
  if ((inks && !jpeg->row) || (jpeg->orientation > 1 && !jpeg->upright))
    return cff_fail(error, cff_out_of_memory, "no memory for a JPEG's pixels");
  if (setjmp(jpeg->trap.back))
    return fail(&jpeg->trap, error);
  decoder->out_color_space = inks ? JCS_CMYK : grey ? JCS_GRAYSCALE : JCS_EXT_BGR;
  jpeg_start_decompress(decoder);
  read_rows(jpeg, channels, jpeg->upright ? jpeg->upright : out);
  jpeg_finish_decompress(decoder);
  if (jpeg->upright)
    cff_turn(
      jpeg->upright, (int)decoder->output_width, (int)decoder->output_height, jpeg->orientation,
      (size_t)channels, out);
  return cff_ok;
}

// MARK: encoding

static void compress(
  struct jpeg_compress_struct *encoder, const uint8_t *samples, int channels, int quality
) {
  encoder->input_components = channels;
  encoder->in_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_EXT_BGR;
  jpeg_set_defaults(encoder);
  jpeg_set_quality(encoder, quality, TRUE);
  jpeg_start_compress(encoder, TRUE);
  const size_t stride = (size_t)encoder->image_width * (size_t)channels;
  while (encoder->next_scanline < encoder->image_height) {
    JSAMPROW row = (JSAMPROW)(uintptr_t)(samples + encoder->next_scanline * stride);
    jpeg_write_scanlines(encoder, &row, 1);
  }
  jpeg_finish_compress(encoder);
}

cff_code cff_jpeg_encode(
  const uint8_t *samples, int width, int height, int channels, int quality, cff_bytes *out,
  cff_error *error
) {
  struct jpeg_compress_struct encoder;
  failure_trap trap;
  unsigned char *made = NULL;
  unsigned long count = 0;
  if (width > JPEG_MAX_DIMENSION || height > JPEG_MAX_DIMENSION)
    return cff_fail(error, cff_too_large, "a JPEG has at most 65500 pixels a side");
  memset(&encoder, 0, sizeof encoder);
  encoder.err = trapped(&trap);
  if (setjmp(trap.back)) {
    // Only want of memory leads here; libjpeg does not say which of its buffers is still `made`.
    jpeg_destroy_compress(&encoder);
    return cff_fail(error, cff_out_of_memory, "cannot encode a JPEG: %s", trap.text);
  }
  jpeg_create_compress(&encoder);
  jpeg_mem_dest(&encoder, &made, &count);
  encoder.image_width = (JDIMENSION)width;
  encoder.image_height = (JDIMENSION)height;
  compress(&encoder, samples, channels, quality);
  jpeg_destroy_compress(&encoder);
  uint8_t *copy = av_memdup(made, count);
  free(made);
  if (!copy) return cff_fail(error, cff_out_of_memory, "no memory for a JPEG");
  *out = (cff_bytes){copy, count};
  return cff_ok;
}
