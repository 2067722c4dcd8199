// SPDX-License-Identifier: Apache-2.0

// Where packets come from: files, addresses, descriptors and devices.

#include "reader.h"
#include <dlfcn.h>
#include <errno.h>
#include <libavutil/avstring.h>
#include <libavutil/opt.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

// Real containers only: formats that name other files (playlists, ffconcat, DASH, SDP) are not here.
static const char *const containers =
  "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,m4v,h264,hevc,obu,ivf,flv,asf,"
  "ogg,mxf,nut,yuv4mpegpipe,mjpeg,mpjpeg,gif";

enum { buffer_size = 1 << 16, wait_ms = 20 };

bool cff_input_gives_up(const cff_reader *reader) {
  const cff_input *input = &reader->options.input;
  return input->gives_up && input->gives_up(input->context);
}

bool cff_input_is_file(const cff_reader *reader) {
  const cff_input *input = &reader->options.input;
  return !input->protocols && !input->is_device && input->descriptor < 0;
}

static int interrupt(void *reader) { return cff_input_gives_up(reader); }

// Waits in short slices: whoever reads may be asked to stop while nothing comes.
static int read_descriptor(void *opaque, uint8_t *bytes, int size) {
  const cff_reader *reader = opaque;
  for (;;) {
    if (cff_input_gives_up(reader)) return AVERROR_EXIT;
    struct pollfd waiting = {.fd = reader->options.input.descriptor, .events = POLLIN};
    const int ready = poll(&waiting, 1, wait_ms);
    if (ready < 0 && errno != EINTR) return AVERROR(errno);
    if (ready <= 0) continue;
    const ssize_t count = read(waiting.fd, bytes, (size_t)size);
    if (count > 0) return (int)count;
    if (count == 0) return AVERROR_EOF;
    if (errno != EINTR && errno != EAGAIN) return AVERROR(errno);
  }
}

// libavdevice is opened, not linked: few have a camera. Its number is that of libavformat.
static bool knows_devices(void) {
  static bool known;
  if (known) return true;
  char name[32];
  snprintf(name, sizeof name, "libavdevice.so.%d", LIBAVFORMAT_VERSION_MAJOR);
  void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
  void (*register_all)(void) = NULL;
  if (library) *(void **)&register_all = dlsym(library, "avdevice_register_all");
  if (register_all) register_all();
  return known = register_all != NULL;
}

static int describe_settings(const cff_input *input, AVDictionary **settings) {
  av_dict_set(settings, "protocol_whitelist", input->protocols ? input->protocols : "file", 0);
  av_dict_set(settings, "format_whitelist", input->format ? input->format : containers, 0);
  return input->settings ? av_dict_parse_string(settings, input->settings, "=", ":", 0) : 0;
}

// A format that is named alone is taken as given; of several, the first bytes choose.
static int open_named(
  cff_reader *reader, const char *url, const cff_input *input, AVDictionary **settings
) {
  const AVInputFormat *format = NULL;
  if (input->is_device && !knows_devices()) return AVERROR_DEMUXER_NOT_FOUND;
  if (input->format && !strchr(input->format, ',')) {
    format = av_find_input_format(input->format);
    if (!format) return AVERROR_DEMUXER_NOT_FOUND;
  }
  return avformat_open_input(&reader->container, url, format, settings);
}

int cff_input_open(cff_reader *reader, const char *path) {
  const cff_input *input = &reader->options.input;
  reader->container = avformat_alloc_context();
  if (!reader->container) return AVERROR(ENOMEM);
  if (input->gives_up)
    reader->container->interrupt_callback = (AVIOInterruptCB){interrupt, reader};
  if (input->descriptor >= 0) {
    uint8_t *buffer = av_malloc(buffer_size);
    reader->io = buffer
      ? avio_alloc_context(buffer, buffer_size, 0, reader, read_descriptor, NULL, NULL) : NULL;
    if (!reader->io) {
      av_free(buffer);
      return AVERROR(ENOMEM);
    }
    reader->container->pb = reader->io;
  }
  AVDictionary *settings = NULL;
  int status = describe_settings(input, &settings);
  char *url = cff_input_is_file(reader) ? av_asprintf("file:%s", path) : av_strdup(path);
  if (status >= 0) status = url ? open_named(reader, url, input, &settings) : AVERROR(ENOMEM);
  av_dict_free(&settings);
  av_free(url);
  return status;
}

void cff_input_close(cff_reader *reader) {
  if (!reader->io) return;
  av_freep(&reader->io->buffer);
  avio_context_free(&reader->io);
}
