// SPDX-License-Identifier: Apache-2.0

#include "internal.h"
#include <errno.h>
#include <libavformat/avformat.h>
#include <libavutil/avstring.h>
#include <libavutil/opt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct cff_writer {
  AVFormatContext *container;
  AVCodecContext *encoder;
  AVStream *stream;
  AVFrame *bgr, *planar;
  AVPacket *packet;
  struct SwsContext *scaler;
  int width, height;
  /// Of the last frame that was added.
  int64_t time, duration;
};

static int even(int size) { return size + (size & 1); }

// MARK: opening

static cff_code open_encoder(
  cff_writer *writer, const cff_writer_options *options, cff_error *error
) {
  const AVCodec *codec = avcodec_find_encoder_by_name("libx264");
  AVCodecContext *encoder = writer->encoder = codec ? avcodec_alloc_context3(codec) : NULL;
  if (!encoder)
    return cff_fail(error, cff_unsupported, "this libavcodec was built without libx264");
  const bool is_hd = options->height >= 720;
  encoder->width = even(options->width);
  encoder->height = even(options->height);
  encoder->pix_fmt = AV_PIX_FMT_YUV420P;
  encoder->time_base = (AVRational){options->unit_numerator, options->unit_denominator};
  encoder->framerate = (AVRational){options->rate_numerator, options->rate_denominator};
  encoder->sample_aspect_ratio =
    (AVRational){options->aspect_numerator, options->aspect_denominator};
  encoder->colorspace = is_hd ? AVCOL_SPC_BT709 : AVCOL_SPC_SMPTE170M;
  encoder->color_primaries = is_hd ? AVCOL_PRI_BT709 : AVCOL_PRI_SMPTE170M;
  encoder->color_trc = is_hd ? AVCOL_TRC_BT709 : AVCOL_TRC_SMPTE170M;
  encoder->color_range = AVCOL_RANGE_MPEG;
  encoder->chroma_sample_location = AVCHROMA_LOC_LEFT;
  encoder->thread_count = options->threads;
  encoder->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
  if (options->key_interval >= 0) encoder->gop_size = options->key_interval;
  if (options->b_frames >= 0) encoder->max_b_frames = options->b_frames;
  av_opt_set_double(encoder->priv_data, "crf", options->crf, 0);
  if (av_opt_set(encoder->priv_data, "preset", options->preset, 0) < 0)
    return cff_fail(error, cff_unsupported, "x264 has no preset '%s'", options->preset);
  const int status = avcodec_open2(encoder, codec, NULL);
  return status < 0 ? cff_fail_av(error, status, cff_unsupported, "x264 would not start") : cff_ok;
}

static cff_code open_container(
  cff_writer *writer, const char *path, const char *container, cff_error *error
) {
  char *url = av_asprintf("file:%s", path);
  int status = url ? avformat_alloc_output_context2(&writer->container, NULL, container, url)
                   : AVERROR(ENOMEM);
  if (status >= 0) {
    writer->stream = avformat_new_stream(writer->container, NULL);
    status = writer->stream ? avio_open(&writer->container->pb, url, AVIO_FLAG_WRITE)
                            : AVERROR(ENOMEM);
  }
  av_free(url);
  if (status < 0) return cff_fail_av(error, status, cff_unwritable, "cannot be written");
  writer->stream->time_base = writer->encoder->time_base;
  writer->stream->avg_frame_rate = writer->encoder->framerate;
  writer->stream->sample_aspect_ratio = writer->encoder->sample_aspect_ratio;
  avcodec_parameters_from_context(writer->stream->codecpar, writer->encoder);
  AVDictionary *settings = NULL;
  av_dict_set(&settings, "movflags", "+faststart", 0);
  status = avformat_write_header(writer->container, &settings);
  av_dict_free(&settings);
  return status < 0 ? cff_fail_av(error, status, cff_unwritable, "cannot be written") : cff_ok;
}

static AVFrame *picture(const AVCodecContext *encoder, enum AVPixelFormat format) {
  AVFrame *frame = av_frame_alloc();
  if (!frame) return NULL;
  frame->format = format;
  frame->width = encoder->width;
  frame->height = encoder->height;
  if (av_frame_get_buffer(frame, 0) < 0) av_frame_free(&frame);
  return frame;
}

static cff_code open_pictures(cff_writer *writer, cff_error *error) {
  const AVCodecContext *encoder = writer->encoder;
  const int width = encoder->width, height = encoder->height;
  writer->bgr = picture(encoder, AV_PIX_FMT_BGR24);
  writer->planar = picture(encoder, AV_PIX_FMT_YUV420P);
  writer->packet = av_packet_alloc();
  const int flags = SWS_BILINEAR | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INP;
  writer->scaler = sws_getContext(
    width, height, AV_PIX_FMT_BGR24, width, height, AV_PIX_FMT_YUV420P, flags, NULL, NULL, NULL);
  if (!writer->bgr || !writer->planar || !writer->packet || !writer->scaler)
    return cff_fail(error, cff_out_of_memory, "no memory for a writer");
  sws_setColorspaceDetails(
    writer->scaler, sws_getCoefficients(SWS_CS_DEFAULT), 1,
    sws_getCoefficients((int)encoder->colorspace), 0, 0, 1 << 16, 1 << 16);
  return cff_ok;
}

cff_code cff_writer_open(
  const char *path, const cff_writer_options *options, cff_writer **out, cff_error *error
) {
  cff_listen();
  cff_writer *writer = calloc(1, sizeof *writer);
  if (!writer) return cff_fail(error, cff_out_of_memory, "no memory for a writer");
  writer->width = options->width;
  writer->height = options->height;
  cff_code code = open_encoder(writer, options, error);
  if (code == cff_ok) code = open_container(writer, path, options->container, error);
  if (code == cff_ok) code = open_pictures(writer, error);
  if (code == cff_ok)
    *out = writer;
  else
    cff_writer_close(writer);
  return code;
}

void cff_writer_close(cff_writer *writer) {
  if (!writer) return;
  sws_freeContext(writer->scaler);
  avcodec_free_context(&writer->encoder);
  if (writer->container) avio_closep(&writer->container->pb);
  avformat_free_context(writer->container);
  av_frame_free(&writer->bgr);
  av_frame_free(&writer->planar);
  av_packet_free(&writer->packet);
  free(writer);
}

// MARK: encoding

// 4:2:0 needs even sizes: an odd last column or row is repeated once, so nothing is distorted.
static void copy_padded(cff_writer *writer, const uint8_t *bgr) {
  AVFrame *frame = writer->bgr;
  const size_t stride = (size_t)writer->width * 3;
  for (int y = 0; y < frame->height; y++) {
    const int line = y < writer->height ? y : writer->height - 1;
    uint8_t *row = frame->data[0] + y * frame->linesize[0];
    memcpy(row, bgr + (size_t)line * stride, stride);
    if (frame->width > writer->width) memcpy(row + stride, row + stride - 3, 3);
  }
}

static cff_code write_packets(cff_writer *writer, cff_error *error) {
  for (;;) {
    int status = avcodec_receive_packet(writer->encoder, writer->packet);
    if (status == AVERROR(EAGAIN) || status == AVERROR_EOF) return cff_ok;
    if (status < 0) return cff_fail_av(error, status, cff_unknown, "cannot be encoded");
    // Steps between times say how long a picture is shown; this counts for the last alone.
    writer->packet->duration = writer->duration;
    writer->packet->stream_index = writer->stream->index;
    av_packet_rescale_ts(writer->packet, writer->encoder->time_base, writer->stream->time_base);
    status = av_interleaved_write_frame(writer->container, writer->packet);
    if (status >= 0) status = writer->container->pb->error;
    if (status < 0) return cff_fail_av(error, status, cff_unwritable, "cannot be written");
  }
}

cff_code cff_writer_add(
  cff_writer *writer, const uint8_t *bgr, int64_t time, int64_t duration, cff_error *error
) {
  cff_listen();
  int status = av_frame_make_writable(writer->planar);
  if (status < 0) return cff_fail_av(error, status, cff_out_of_memory, "a frame");
  copy_padded(writer, bgr);
  sws_scale(
    writer->scaler, (const uint8_t *const *)writer->bgr->data, writer->bgr->linesize, 0,
    writer->bgr->height, writer->planar->data, writer->planar->linesize);
  writer->planar->pts = writer->time = time;
  writer->duration = duration;
  status = avcodec_send_frame(writer->encoder, writer->planar);
  if (status < 0) return cff_fail_av(error, status, cff_unknown, "cannot be encoded");
  return write_packets(writer, error);
}

cff_code cff_writer_finish(cff_writer *writer, cff_error *error) {
  cff_listen();
  int status = avcodec_send_frame(writer->encoder, NULL);
  if (status < 0) return cff_fail_av(error, status, cff_unknown, "cannot be encoded");
  const cff_code code = write_packets(writer, error);
  if (code != cff_ok) return code;
  status = av_write_trailer(writer->container);
  if (status >= 0) status = writer->container->pb->error;
  const int closed = avio_closep(&writer->container->pb);
  if (status >= 0) status = closed;
  return status < 0 ? cff_fail_av(error, status, cff_unwritable, "cannot be written") : cff_ok;
}
