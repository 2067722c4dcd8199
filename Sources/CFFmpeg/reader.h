// SPDX-License-Identifier: Apache-2.0

#pragma once

#include "internal.h"
#include <libavformat/avformat.h>

/// A loss between pictures: before all those that are shown after `time`, or at it where inclusive.
/// `clock` counts how often times began anew until then.
typedef struct cff_loss {
  int64_t time;
  int clock;
  bool inclusive;
} cff_loss;

enum { most_losses = 32, retries = 64 };

struct cff_reader {
  AVFormatContext *container;
  AVCodecContext *decoder;
  /// What a descriptor is read through; NULL for a path.
  AVIOContext *io;
  AVFrame *frame;
  /// The packet to decode, and one that was looked at before its turn, with what was lost before.
  AVPacket *packet, *ahead;
  bool has_ahead, lost_before_ahead;
  AVStream *stream;
  cff_converter converter;
  cff_stream_counts counts;
  cff_reader_options options;
  int orientation;
  /// What the decoder's picture was cropped by, at the left and on top.
  int left, top;
  cff_loss losses[most_losses];
  int loss_count;
  /// Of the last picture handed out, and of the last packet that was decoded.
  int64_t last_time, sent_time;
  /// A picture as stored, and vectors, where either is handed out in another way.
  uint8_t *stored;
  size_t stored_size;
  cff_motion_vector *placed;
  size_t placed_size;
  /// How often times began anew among packets, and among pictures handed out.
  int sent_clock, shown_clock;
  /// The last packet's time of decoding.
  int64_t sent_order;
  /// Whether the packet before was marked as broken.
  bool suspect;
  bool draining, started;
  /// Whether the frame was decoded ahead of its turn, to see how it is turned.
  bool holds;
};

/// Decodes the first picture where pictures may say themselves how they are turned.
cff_code cff_reader_look_ahead(cff_reader *reader, cff_error *error);
/// Opens the container that `options.input` tells of; a status of libavformat's.
int cff_input_open(cff_reader *reader, const char *path);
/// Closes what `cff_input_open` opened beside the container, which is closed before.
void cff_input_close(cff_reader *reader);
/// Whether nobody waits for data any longer.
bool cff_input_gives_up(const cff_reader *reader);
/// Whether the path is that of a file, and nothing else is read.
bool cff_input_is_file(const cff_reader *reader);
