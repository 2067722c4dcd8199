// SPDX-License-Identifier: Apache-2.0

#include "reader.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// MARK: opening

typedef enum { first_unknown, first_container, first_playlist } first_bytes;

static bool has(const uint8_t *bytes, size_t at, const char *text) {
  return memcmp(bytes + at, text, strlen(text)) == 0;
}

static first_bytes classify(const char *path) {
  uint8_t bytes[64] = {0};
  FILE *file = fopen(path, "rb");
  if (!file) return first_unknown;
  const size_t count = fread(bytes, 1, sizeof bytes, file);
  fclose(file);
  if (has(bytes, 0, "#EXTM3U") || has(bytes, 0, "ffconcat") || has(bytes, 0, "v=0"))
    return first_playlist;
  if (count >= 8 && (has(bytes, 4, "ftyp") || has(bytes, 4, "moov") || has(bytes, 4, "mdat")))
    return first_container;
  if (has(bytes, 0, "\x1A\x45\xDF\xA3") || has(bytes, 0, "FLV\1") || has(bytes, 0, "OggS"))
    return first_container;
  return has(bytes, 0, "RIFF") && has(bytes, 8, "AVI ") ? first_container : first_unknown;
}

static cff_code fail_open(
  const cff_reader *reader, const char *path, int status, cff_error *error
) {
  if (cff_input_gives_up(reader)) return cff_fail(error, cff_gave_up, "nothing came in time");
  if (!cff_input_is_file(reader) && strstr(cff_last_complaint(), "whitelist"))
    return cff_fail(
      error, cff_refused_format, "it leads to another address or format, which is not read here");
  if (!cff_input_is_file(reader) && status != AVERROR_INVALIDDATA)
    return status == AVERROR_DEMUXER_NOT_FOUND
      ? cff_fail(error, cff_no_library, "libavdevice, which reads cameras, is not there")
      : cff_fail_av(error, status, cff_unreadable, "cannot be opened");
  if (status == AVERROR(EACCES) || status == AVERROR(ENOENT) || status == AVERROR(EIO))
    return cff_fail_av(error, status, cff_unreadable, "cannot be read");
  switch (cff_input_is_file(reader) ? classify(path) : first_unknown) {
  case first_playlist:
    return cff_fail(error, cff_refused_format, "a playlist, which may name other files: refused");
  case first_container:
    return cff_fail_av(
      error, status, cff_damaged_header, "the header is cut off or damaged, nothing can be decoded");
  default: break;
  }
  if (strstr(cff_last_complaint(), "whitelist"))
    return cff_fail(error, cff_refused_format, "not one of the video formats that are read here");
  return cff_fail(error, cff_not_media, "not a video that is known");
}

static cff_code open_container(cff_reader *reader, const char *path, cff_error *error) {
  const int status = cff_input_open(reader, path);
  return status < 0 ? fail_open(reader, path, status, error) : cff_ok;
}

// The probing decoders get the limit too: they may decode before anyone has seen the size.
static int find_streams(cff_reader *reader) {
  AVFormatContext *container = reader->container;
  const unsigned count = container->nb_streams;
  AVDictionary **settings = calloc(count ? count : 1, sizeof *settings);
  if (!settings) return AVERROR(ENOMEM);
  for (unsigned i = 0; i < count; i++) {
    av_dict_set_int(&settings[i], "max_pixels", reader->options.max_pixels, 0);
    av_dict_set_int(&settings[i], "threads", 1, 0);
  }
  const int status = avformat_find_stream_info(container, settings);
  for (unsigned i = 0; i < count; i++) av_dict_free(&settings[i]);
  free(settings);
  return status;
}

// Whether there are streams and each says what it carries, which cut headers do not.
static bool is_understood(const AVFormatContext *container) {
  for (unsigned i = 0; i < container->nb_streams; i++) {
    const AVCodecParameters *codec = container->streams[i]->codecpar;
    if (codec->codec_id == AV_CODEC_ID_NONE && !codec->codec_tag) return false;
  }
  return container->nb_streams > 0;
}

static cff_code choose_stream(cff_reader *reader, const char *path, cff_error *error) {
  const int status = find_streams(reader);
  if (status < 0 || cff_input_gives_up(reader)) return fail_open(reader, path, status, error);
  const int index =
    av_find_best_stream(reader->container, AVMEDIA_TYPE_VIDEO, -1, -1, NULL, 0);
  if (index < 0 || (reader->container->streams[index]->disposition & AV_DISPOSITION_ATTACHED_PIC))
    return is_understood(reader->container) || !cff_input_is_file(reader)
        || classify(path) == first_unknown
      ? cff_fail(error, cff_no_video, "there is no video stream in it")
      : cff_fail(error, cff_damaged_header, "the header is cut off or damaged");
  for (unsigned i = 0; i < reader->container->nb_streams; i++)
    if ((int)i != index) reader->container->streams[i]->discard = AVDISCARD_ALL;
  reader->stream = reader->container->streams[index];
  return cff_ok;
}

static cff_code check_stream(const cff_reader *reader, cff_error *error) {
  const AVCodecParameters *codec = reader->stream->codecpar;
  if (cff_exceeds(codec->width, codec->height, reader->options.max_pixels)) {
    if (codec->width > 0 && codec->height > 0)
      return cff_fail(
        error, cff_too_large, "%d×%d pixels are more than the limit of %lld", codec->width,
        codec->height, (long long)reader->options.max_pixels);
    if (strstr(cff_last_complaint(), "Picture size"))
      return cff_fail(error, cff_too_large, "%s", cff_last_complaint());
    return cff_fail(error, cff_damaged_header, "the header is damaged, it states no picture size");
  }
  const enum AVCodecID id = codec->codec_id;
  if (reader->options.motion_vectors && id != AV_CODEC_ID_H264 && id != AV_CODEC_ID_MPEG4
      && id != AV_CODEC_ID_MPEG2VIDEO && id != AV_CODEC_ID_MPEG1VIDEO)
    return cff_fail(
      error, cff_no_motion_vectors,
      "the decoder of %s gives no motion vectors, those of H.264, MPEG-4 and MPEG-2 do; re-encode "
      "with: ffmpeg -i INPUT -c:v libx264 -bf 0 -refs 1 -crf 18 -an OUTPUT.mp4",
      avcodec_get_name(id));
  return cff_ok;
}

static cff_code open_decoder(cff_reader *reader, cff_error *error) {
  const AVCodec *codec = avcodec_find_decoder(reader->stream->codecpar->codec_id);
  if (!codec)
    return cff_fail(
      error, cff_unsupported, "there is no decoder for %s here",
      avcodec_get_name(reader->stream->codecpar->codec_id));
  AVCodecContext *decoder = reader->decoder = avcodec_alloc_context3(codec);
  if (!decoder) return cff_fail(error, cff_out_of_memory, "no memory for the decoder");
  int status = avcodec_parameters_to_context(decoder, reader->stream->codecpar);
  if (status < 0) return cff_fail_av(error, status, cff_damaged_header, "the stream's header");
  decoder->pkt_timebase = reader->stream->time_base;
  decoder->max_pixels = reader->options.max_pixels;
  decoder->flags |= AV_CODEC_FLAG_OUTPUT_CORRUPT;
  // Cropping is done here: vectors count from what is cropped, and it need not be aligned.
  decoder->apply_cropping = 0;
  decoder->thread_count = reader->options.threads;
  // Across frame threads a picture goes out while its vectors and its damage are still being found.
  decoder->thread_type = FF_THREAD_SLICE;
  if (reader->options.motion_vectors) decoder->flags2 |= AV_CODEC_FLAG2_EXPORT_MVS;
  status = avcodec_open2(decoder, codec, NULL);
  return status < 0 ? cff_fail_av(error, status, cff_damaged_header, "the decoder would not start")
                    : cff_ok;
}

static int orientation(const AVStream *stream) {
  const uint8_t *matrix = av_stream_get_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, NULL);
  return matrix ? cff_orientation_of_matrix((const int32_t *)(const void *)matrix) : 1;
}

cff_code cff_reader_open(
  const char *path, const cff_reader_options *options, cff_reader **out, cff_error *error
) {
  cff_listen();
  cff_reader *reader = calloc(1, sizeof *reader);
  if (!reader) return cff_fail(error, cff_out_of_memory, "no memory for a reader");
  reader->options = *options;
  reader->frame = av_frame_alloc();
  reader->packet = av_packet_alloc();
  reader->ahead = av_packet_alloc();
  cff_code code = reader->frame && reader->packet && reader->ahead
    ? open_container(reader, path, error)
    : cff_fail(error, cff_out_of_memory, "no memory for a reader");
  if (code == cff_ok) code = choose_stream(reader, path, error);
  if (code == cff_ok) code = check_stream(reader, error);
  if (code == cff_ok) code = open_decoder(reader, error);
  if (code == cff_ok) {
    reader->orientation = orientation(reader->stream);
    reader->last_time = reader->sent_order = AV_NOPTS_VALUE;
    code = cff_reader_look_ahead(reader, error);
  }
  if (code == cff_ok) *out = reader;
  else cff_reader_close(reader);
  return code;
}

void cff_reader_close(cff_reader *reader) {
  if (!reader) return;
  cff_converter_close(&reader->converter);
  avcodec_free_context(&reader->decoder);
  avformat_close_input(&reader->container);
  cff_input_close(reader);
  av_frame_free(&reader->frame);
  av_packet_free(&reader->packet);
  av_packet_free(&reader->ahead);
  free(reader->stored);
  free(reader->placed);
  free(reader);
}

// MARK: what it is

static bool is_stated(AVRational rate) { return rate.num > 0 && rate.den > 0; }

// Where nothing is stated, what libavformat guesses is the clock's rate, or the shortest step among
// the first pictures: believed only where the mean agrees, or where it may well be a rate.
static AVRational rate(const cff_reader *reader) {
  const AVRational guess = av_guess_frame_rate(reader->container, reader->stream, NULL);
  const AVRational mean = reader->stream->avg_frame_rate, none = {0, 1};
  if (!is_stated(mean)) return is_stated(guess) && av_q2d(guess) <= 240 ? guess : none;
  if (!is_stated(guess)) return mean;
  return fabs(av_q2d(guess) / av_q2d(mean) - 1) < 0.05 ? guess : mean;
}

// An index says which pictures are shown, whatever an edit list cuts away of those that are there.
static int64_t claimed_frames(const cff_reader *reader) {
  AVStream *stream = reader->stream;
  const int entries = strstr(reader->container->iformat->name, "mov")
    ? avformat_index_get_entries_count(stream)
    : 0;
  if (stream->nb_frames <= 0 || entries <= 0) return stream->nb_frames > 0 ? stream->nb_frames : 0;
  int64_t shown = 0;
  for (int i = 0; i < entries; i++)
    shown += !(avformat_index_get_entry(stream, i)->flags & AVINDEX_DISCARD_FRAME);
  return shown;
}

static AVRational aspect(const cff_reader *reader) {
  const AVRational stated = av_guess_sample_aspect_ratio(reader->container, reader->stream, NULL);
  if (!is_stated(stated)) return (AVRational){0, 1};
  return cff_swaps(reader->orientation) ? av_inv_q(stated) : stated;
}

cff_stream_info cff_reader_info(const cff_reader *reader) {
  const AVStream *stream = reader->stream;
  const AVInputFormat *format = reader->container->iformat;
  const bool swaps = cff_swaps(reader->orientation);
  const AVRational speed = rate(reader), pixel = aspect(reader);
  cff_stream_info info = {
    .width = swaps ? stream->codecpar->height : stream->codecpar->width,
    .height = swaps ? stream->codecpar->width : stream->codecpar->height,
    .rate_numerator = speed.num,
    .rate_denominator = speed.den,
    .aspect_numerator = pixel.num,
    .aspect_denominator = pixel.den,
    .claimed_frames = claimed_frames(reader),
    .claimed_seconds = -1,
    .has_b_frames = reader->decoder->has_b_frames > 0,
    .orientation = reader->orientation,
    .may_restart = format->flags & AVFMT_TS_DISCONT,
    .has_delays = strcmp(format->name, "gif") == 0,
  };
  if (stream->duration != AV_NOPTS_VALUE)
    info.claimed_seconds = stream->duration * av_q2d(stream->time_base);
  else if (reader->container->duration != AV_NOPTS_VALUE)
    info.claimed_seconds = (double)reader->container->duration / AV_TIME_BASE;
  snprintf(
    info.codec, sizeof info.codec, "%s", avcodec_get_name(stream->codecpar->codec_id));
  return info;
}
