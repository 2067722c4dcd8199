// SPDX-License-Identifier: Apache-2.0

#include "reader.h"
#include <errno.h>
#include <libavutil/motion_vector.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(cff_motion_vector) == sizeof(AVMotionVector), "AVMotionVector has changed");
_Static_assert(
  offsetof(cff_motion_vector, motion_x) == offsetof(AVMotionVector, motion_x)
    && offsetof(cff_motion_vector, x) == offsetof(AVMotionVector, dst_x)
    && offsetof(cff_motion_vector, scale) == offsetof(AVMotionVector, motion_scale),
  "AVMotionVector has changed");

cff_stream_counts cff_reader_counts(const cff_reader *reader) { return reader->counts; }

// MARK: decoding

// Where nobody knows the time of what was lost, it is before whatever is handed out next.
static void note_loss(cff_reader *reader, int64_t time, bool inclusive) {
  if (reader->loss_count == most_losses) reader->loss_count--;
  reader->losses[reader->loss_count++] = (cff_loss){
    .time = time == AV_NOPTS_VALUE ? INT64_MIN : time,
    .clock = time == AV_NOPTS_VALUE ? 0 : reader->sent_clock,
    .inclusive = inclusive,
  };
}

static void note_damage(cff_reader *reader, int64_t time, bool inclusive) {
  reader->counts.damaged_packets++;
  note_loss(reader, time, inclusive);
}

// Whether something was lost before the picture that is shown at `time`: decoders hand pictures out
// later than they read them, and in another order.
static bool take_losses(cff_reader *reader, int64_t time) {
  const bool known = time != AV_NOPTS_VALUE;
  if (known && reader->last_time != AV_NOPTS_VALUE && time < reader->last_time)
    reader->shown_clock++;
  if (known) reader->last_time = time;
  bool lost = false;
  int kept = 0;
  for (int i = 0; i < reader->loss_count; i++) {
    const cff_loss loss = reader->losses[i];
    const bool is_earlier = loss.time < time || (loss.inclusive && loss.time == time);
    if (!known || loss.clock < reader->shown_clock
        || (loss.clock == reader->shown_clock && is_earlier))
      lost = true;
    else reader->losses[kept++] = loss;
  }
  reader->loss_count = kept;
  return lost;
}

/// The next packet of the stream into `packet`; false at the end, or where reading does not go on.
static bool read_packet(cff_reader *reader, AVPacket *packet, bool *lost) {
  *lost = false;
  for (int failures = 0; failures < retries;) {
    av_packet_unref(packet);
    const int status = av_read_frame(reader->container, packet);
    if (status == AVERROR_EOF || cff_input_gives_up(reader)) return false;
    if (status == AVERROR(ENOMEM)) break;
    if (status < 0) {
      failures++;
      *lost = true;
      continue;
    }
    if (packet->stream_index != reader->stream->index) continue;
    reader->counts.packets += !(packet->flags & AV_PKT_FLAG_DISCARD);
    // A packet without bytes would tell the decoder that the stream has ended.
    if (packet->size > 0) return true;
  }
  return !(reader->counts.read_failed = true);
}

static bool next_packet(cff_reader *reader, bool *lost) {
  if (!reader->has_ahead) return read_packet(reader, reader->packet, lost);
  av_packet_move_ref(reader->packet, reader->ahead);
  *lost = reader->lost_before_ahead;
  reader->has_ahead = false;
  return true;
}

// Whether times begin anew between two packets: back, or far ahead where that may be.
static bool begins_anew(const cff_reader *reader, int64_t before, int64_t after) {
  if (before == AV_NOPTS_VALUE || after == AV_NOPTS_VALUE) return false;
  const bool may_restart = reader->container->iformat->flags & AVFMT_TS_DISCONT;
  const double step = (after - before) * av_q2d(reader->stream->time_base);
  return step < 0 || (may_restart && step > 10);
}

// Whether the packet, which came at `before` in the order of decoding, lies at a seam where streams
// were put together: the transport's counter does not go on there, which says nothing of damage.
static bool is_seam(cff_reader *reader, int64_t before) {
  if (begins_anew(reader, before, reader->packet->dts)) return true;
  if (!reader->has_ahead)
    reader->has_ahead = read_packet(reader, reader->ahead, &reader->lost_before_ahead);
  return reader->has_ahead && begins_anew(reader, reader->packet->dts, reader->ahead->dts);
}

// Of a transport stream, the packet before the broken one is marked: a picture ends where the next
// begins, and by then that has been read.
static bool is_broken(cff_reader *reader, int64_t before) {
  const bool lags = reader->container->iformat->flags & AVFMT_TS_DISCONT;
  const bool marked = reader->packet->flags & AV_PKT_FLAG_CORRUPT;
  const bool broken = lags ? reader->suspect : marked;
  reader->suspect = lags && marked;
  return broken && !is_seam(reader, before);
}

static void feed(cff_reader *reader) {
  bool lost;
  if (!next_packet(reader, &lost)) {
    if (cff_input_gives_up(reader)) return;
    reader->draining = true;
    avcodec_send_packet(reader->decoder, NULL);
    return;
  }
  const AVPacket *packet = reader->packet;
  const int64_t before = reader->sent_order;
  const int64_t time = packet->pts != AV_NOPTS_VALUE ? packet->pts : packet->dts;
  if (packet->dts != AV_NOPTS_VALUE) {
    reader->sent_clock += before != AV_NOPTS_VALUE && packet->dts < before;
    reader->sent_order = packet->dts;
  }
  if (lost) note_loss(reader, time, true);
  const bool broken = is_broken(reader, before);
  reader->sent_time = time;
  const int status = avcodec_send_packet(reader->decoder, reader->packet);
  if (status < 0 && status != AVERROR(EAGAIN)) note_damage(reader, time, false);
  else if (broken) note_damage(reader, time, true);
  av_packet_unref(reader->packet);
}

static double seconds(int64_t ticks, AVRational base) {
  return ticks == AV_NOPTS_VALUE ? NAN : ticks * av_q2d(base);
}

static char letter(enum AVPictureType type) {
  const char name = av_get_picture_type_char(type);
  return name == 'I' || name == 'P' || name == 'B' ? name : '?';
}

// Frames are cropped here and not by the decoder, which forgets by how much.
static void crop(cff_reader *reader) {
  AVFrame *frame = reader->frame;
  reader->left = (int)frame->crop_left;
  reader->top = (int)frame->crop_top;
  if (av_frame_apply_cropping(frame, AV_FRAME_CROP_UNALIGNED) < 0) reader->left = reader->top = 0;
}

static cff_frame_info describe(cff_reader *reader) {
  const AVFrame *frame = reader->frame;
  const AVRational base = reader->stream->time_base;
  const bool swaps = cff_swaps(reader->orientation);
  return (cff_frame_info){
    .width = swaps ? frame->height : frame->width,
    .height = swaps ? frame->width : frame->height,
    .time = seconds(frame->best_effort_timestamp, base),
    .duration = frame->pkt_duration > 0 ? seconds(frame->pkt_duration, base) : NAN,
    .picture_type = letter(frame->pict_type),
    .concealed = (frame->flags & AV_FRAME_FLAG_CORRUPT) || frame->decode_error_flags,
    .follows_loss = take_losses(reader, frame->best_effort_timestamp),
  };
}

// A stream that was cut anywhere begins with pictures whose references are not there: decoders make
// them up of grey. H.264's says when its pictures are whole again, which may take no key frame.
static bool starts(cff_reader *reader) {
  const AVFrame *frame = reader->frame;
  const bool is_intra = frame->pict_type == AV_PICTURE_TYPE_I || frame->pict_type == AV_PICTURE_TYPE_BI
    || frame->pict_type == AV_PICTURE_TYPE_SI;
  reader->started = reader->started || is_intra
    || (reader->decoder->codec_id == AV_CODEC_ID_H264 ? !(frame->flags & AV_FRAME_FLAG_CORRUPT)
                                                      : frame->key_frame);
  if (!reader->started) reader->counts.undecodable++;
  return reader->started;
}

// H.264's and HEVC's SEI and Exif in MJPEG say it of a picture; it holds until another is stated.
static void orient(cff_reader *reader) {
  const AVFrameSideData *matrix =
    av_frame_get_side_data(reader->frame, AV_FRAME_DATA_DISPLAYMATRIX);
  if (matrix && matrix->size >= 9 * sizeof(int32_t))
    reader->orientation = cff_orientation_of_matrix((const int32_t *)(const void *)matrix->data);
}

cff_code cff_reader_look_ahead(cff_reader *reader, cff_error *error) {
  const enum AVCodecID id = reader->decoder->codec_id;
  if (id != AV_CODEC_ID_H264 && id != AV_CODEC_ID_HEVC && id != AV_CODEC_ID_MJPEG) return cff_ok;
  for (int steps = 0; steps < 2 * retries && !reader->draining; steps++) {
    const int status = avcodec_receive_frame(reader->decoder, reader->frame);
    if (status == AVERROR(ENOMEM))
      return cff_fail_av(error, status, cff_out_of_memory, "decoding");
    if (status == AVERROR(EAGAIN)) feed(reader);
    else if (status < 0) note_damage(reader, reader->sent_time, false);
    if (status != 0) continue;
    reader->holds = true;
    orient(reader);
    return cff_ok;
  }
  return cff_ok;
}

static int receive(cff_reader *reader) {
  if (!reader->holds) return avcodec_receive_frame(reader->decoder, reader->frame);
  reader->holds = false;
  return 0;
}

cff_code cff_reader_next(cff_reader *reader, cff_frame_info *out, cff_error *error) {
  cff_listen();
  for (int failures = 0; failures < retries * retries;) {
    const int status = receive(reader);
    if (status == 0) {
      orient(reader);
      if (!reader->started && !starts(reader)) continue;
      crop(reader);
      *out = describe(reader);
      return cff_ok;
    }
    if (status == AVERROR_EOF) return cff_end;
    if (status == AVERROR(ENOMEM))
      return cff_fail_av(error, status, cff_out_of_memory, "decoding");
    if (status == AVERROR(EAGAIN)) {
      if (reader->draining) return cff_end;
      feed(reader);
      if (!reader->draining && cff_input_gives_up(reader))
        return cff_fail(error, cff_gave_up, "nothing came in time");
      continue;
    }
    note_damage(reader, reader->sent_time, false);
    failures++;
  }
  reader->counts.read_failed = true;
  return cff_end;
}

// The block with room for `size` bytes, which may have moved; NULL where there is none.
static void *reserved(void *block, size_t *held, size_t size) {
  if (*held >= size) return block;
  void *more = realloc(block, size);
  if (more) *held = size;
  return more;
}

cff_code cff_reader_copy_bgr(
  cff_reader *reader, int width, int height, uint8_t *out, cff_error *error
) {
  if (reader->orientation <= 1)
    return cff_convert(&reader->converter, reader->frame, width, height, out, error);
  const bool swaps = cff_swaps(reader->orientation);
  const int columns = swaps ? height : width, lines = swaps ? width : height;
  const size_t size = (size_t)width * (size_t)height * 3;
  uint8_t *stored = reserved(reader->stored, &reader->stored_size, size);
  if (!stored) return cff_fail(error, cff_out_of_memory, "no memory for a picture's pixels");
  reader->stored = stored;
  const cff_code code =
    cff_convert(&reader->converter, reader->frame, columns, lines, stored, error);
  if (code == cff_ok) cff_turn(stored, columns, lines, reader->orientation, 3, out);
  return code;
}

const cff_motion_vector *cff_reader_motion_vectors(
  cff_reader *reader, int width, int height, size_t *count
) {
  const AVFrame *frame = reader->frame;
  const AVFrameSideData *data = av_frame_get_side_data(frame, AV_FRAME_DATA_MOTION_VECTORS);
  const cff_motion_vector *vectors = data ? (const cff_motion_vector *)data->data : NULL;
  *count = data ? data->size / sizeof *vectors : 0;
  const cff_placement placement = {
    reader->left, reader->top, frame->width, frame->height, reader->orientation, width, height,
  };
  const bool is_whole = !placement.left && !placement.top && placement.orientation <= 1;
  if (!*count || (is_whole && frame->width == width && frame->height == height)) return vectors;
  cff_motion_vector *placed = reserved(reader->placed, &reader->placed_size, data->size);
  if (!placed) {
    *count = 0;
    return NULL;
  }
  reader->placed = placed;
  memcpy(placed, vectors, data->size);
  cff_place_vectors(placed, *count, &placement);
  return placed;
}
