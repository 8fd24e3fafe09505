#include "store/decode/decoder/video.h"

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/display.h>
#include <libavutil/imgutils.h>
#include <libswscale/swscale.h>
}

#include <cmath>
#include <memory>

#include "store/decode/decoder/image.h"
#include "store/decode/decoder/processor_time.h"
#include "store/decode/decoder/source_file.h"
#include "store/decode/decoder/tag_set.h"

namespace shoebox::decoder {
namespace {

constexpr int kIoBytes = 64 << 10;
constexpr int kMaxPackets = 400;         // until a frame must have come
constexpr int64_t kMaxPixels = 1 << 27;  // 128 megapixels in one frame
// Of processor time; then metadata without a picture: the parent's deadline takes both.
constexpr double kLongest_s = 5;
constexpr int kFramePx = 1024;

// libav's view of the file: reads by offset, no path anywhere.
class Input {
 public:
  explicit Input(const SourceFile& file) : file_(file) {
    auto* buffer = static_cast<unsigned char*>(av_malloc(kIoBytes));
    io_ = avio_alloc_context(buffer, kIoBytes, 0, this, &Input::read, nullptr, &Input::seek);
  }
  ~Input() {
    if (format_ != nullptr) avformat_close_input(&format_);
    if (io_ != nullptr) av_freep(&io_->buffer);
    avio_context_free(&io_);
  }
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;

  bool open(const std::string& name) {
    format_ = avformat_alloc_context();
    if (io_ == nullptr || format_ == nullptr) return false;
    format_->pb = io_;
    format_->interrupt_callback = {&Input::late, this};
    format_->probesize = 5 << 20;
    format_->max_analyze_duration = 2 * AV_TIME_BASE;
    AVDictionary* options = nullptr;
    av_dict_set(&options, "protocol_whitelist", "none", 0);  // a container may name other files: no
    av_dict_set(&options, "format_whitelist",
                "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,asf,mpegts,mpeg,mpegvideo,flv,ogg", 0);
    const int result =
        avformat_open_input(&format_, name.c_str(), nullptr, &options);  // frees format_ on failure
    av_dict_free(&options);
    return result == 0;
  }
  [[nodiscard]] AVFormatContext* format() const { return format_; }
  [[nodiscard]] bool is_late() const { return processor_time_s() > deadline_s_; }

 private:
  static int read(void* self, uint8_t* buffer, int bytes) {
    auto* input = static_cast<Input*>(self);
    const size_t got = input->file_.read_into(input->position_, buffer, static_cast<size_t>(bytes));
    input->position_ += got;
    return got == 0 ? AVERROR_EOF : static_cast<int>(got);
  }
  static int64_t seek(void* self, int64_t offset, int whence) {
    auto* input = static_cast<Input*>(self);
    const auto size = static_cast<int64_t>(input->file_.size());
    if (whence & AVSEEK_SIZE) return size;
    const int64_t base = (whence & 3) == SEEK_CUR   ? static_cast<int64_t>(input->position_)
                         : (whence & 3) == SEEK_END ? size
                                                    : 0;
    if (offset > size || base + offset < 0) return AVERROR(EINVAL);
    input->position_ = static_cast<uint64_t>(base + offset);
    return base + offset;
  }
  static int late(void* self) { return static_cast<Input*>(self)->is_late() ? 1 : 0; }

  const SourceFile& file_;
  uint64_t position_ = 0;
  double deadline_s_ = processor_time_s() + kLongest_s;
  AVIOContext* io_ = nullptr;
  AVFormatContext* format_ = nullptr;
};

struct FreeCodec {
  void operator()(AVCodecContext* context) const { avcodec_free_context(&context); }
};
struct FreeFrame {
  void operator()(AVFrame* frame) const { av_frame_free(&frame); }
};
struct FreePacket {
  void operator()(AVPacket* packet) const { av_packet_free(&packet); }
};
struct FreeScaler {
  void operator()(SwsContext* scaler) const { sws_freeContext(scaler); }
};
using Codec = std::unique_ptr<AVCodecContext, FreeCodec>;
using Frame = std::unique_ptr<AVFrame, FreeFrame>;
using Packet = std::unique_ptr<AVPacket, FreePacket>;

// The EXIF orientation that a rotation of the video track stands for.
int orientation_of(const AVStream* stream) {
#if LIBAVCODEC_VERSION_MAJOR >= 61  // FFmpeg 7 moved it
  const AVPacketSideData* side = av_packet_side_data_get(
      stream->codecpar->coded_side_data, stream->codecpar->nb_coded_side_data, AV_PKT_DATA_DISPLAYMATRIX);
  const uint8_t* matrix = side != nullptr ? side->data : nullptr;
#else
  const uint8_t* matrix = av_stream_get_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, nullptr);
#endif
  if (matrix == nullptr) return 1;
  const double angle =
      av_display_rotation_get(reinterpret_cast<const int32_t*>(matrix));  // counter-clockwise
  if (!std::isfinite(angle)) return 1;
  switch ((static_cast<int>(std::lround(-angle / 90)) % 4 + 4) % 4) {
    case 1: return 6;
    case 2: return 3;
    case 3: return 8;
    default: return 1;
  }
}

void add_texts(const AVDictionary* dictionary, bool local_clock, TagSet& tags) {
  const AVDictionaryEntry* entry = nullptr;
  while ((entry = av_dict_get(dictionary, "", entry, AV_DICT_IGNORE_SUFFIX)) != nullptr) {
    const std::string key = entry->key;
    if (key == "creation_time") {
      tags.add_text(local_clock ? "av.creation_time_local" : "av.creation_time_utc", entry->value);
    } else {
      tags.add_text("av." + key, clean_text(entry->value));
    }
  }
}

Codec open_codec(const AVCodec* codec, const AVCodecParameters* parameters) {
  Codec context(avcodec_alloc_context3(codec));
  if (!context) return nullptr;
  if (parameters != nullptr && avcodec_parameters_to_context(context.get(), parameters) < 0) return nullptr;
  context->thread_count = 1;
  context->max_pixels = kMaxPixels;
  context->skip_loop_filter = AVDISCARD_NONREF;
  return avcodec_open2(context.get(), codec, nullptr) == 0 ? std::move(context) : nullptr;
}

Frame first_frame(const Input& input, AVCodecContext* codec, int stream) {
  Packet packet(av_packet_alloc());
  Frame frame(av_frame_alloc());
  if (!packet || !frame) return nullptr;
  bool draining = false;
  for (int packets = 0; packets < kMaxPackets && !input.is_late();) {
    const int got = avcodec_receive_frame(codec, frame.get());
    if (got == 0) return frame;
    if (got != AVERROR(EAGAIN) || draining) return nullptr;
    if (av_read_frame(input.format(), packet.get()) < 0) {
      draining = true;
      avcodec_send_packet(codec, nullptr);
      continue;
    }
    if (packet->stream_index == stream) {
      ++packets;
      avcodec_send_packet(codec, packet.get());  // a bad packet may be followed by a good one
    }
    av_packet_unref(packet.get());
  }
  return nullptr;
}

std::vector<Thumbnail> thumbnails_of_frame(const AVFrame* frame, AVRational aspect, int orientation) {
  if (frame->width <= 0 || frame->height <= 0) return {};
  double width = frame->width;
  if (aspect.num > 0 && aspect.den > 0) width = std::min(width * aspect.num / aspect.den, width * 8);
  const double scale = std::min(1.0, kFramePx / std::max<double>(width, frame->height));
  const int out_width = std::max(1, static_cast<int>(std::lround(width * scale)));
  const int out_height = std::max(1, static_cast<int>(std::lround(frame->height * scale)));
  const std::unique_ptr<SwsContext, FreeScaler> scaler(
      sws_getContext(frame->width, frame->height, static_cast<AVPixelFormat>(frame->format), out_width,
                     out_height, AV_PIX_FMT_RGB24, SWS_BICUBIC, nullptr, nullptr, nullptr));
  if (!scaler) return {};
  // libswscale writes whole vectors: rows with room at their end.
  const int stride = (out_width * 3 + 63) & ~63;
  std::string padded(static_cast<size_t>(stride) * static_cast<size_t>(out_height) + 64, '\0');
  uint8_t* rows[4] = {reinterpret_cast<uint8_t*>(padded.data()), nullptr, nullptr, nullptr};
  const int strides[4] = {stride, 0, 0, 0};
  if (sws_scale(scaler.get(), frame->data, frame->linesize, 0, frame->height, rows, strides) <= 0) return {};
  std::string pixels;
  for (int y = 0; y < out_height; ++y)
    pixels.append(padded, static_cast<size_t>(stride) * static_cast<size_t>(y),
                  static_cast<size_t>(out_width) * 3);
  return thumbnails_of_rgb(pixels, static_cast<uint32_t>(out_width), static_cast<uint32_t>(out_height),
                           orientation);
}

}  // namespace

void start_libav() { av_log_set_level(AV_LOG_QUIET); }

VideoFacts read_video(const SourceFile& file, const std::string& name, TagSet& tags) {
  VideoFacts facts;
  Input input(file);
  if (!input.open(name)) return facts;
  facts.opened = true;
  AVFormatContext* format = input.format();
  const std::string container = format->iformat->name;
  const bool header_tells_all =
      container.find("mov") != std::string::npos || container.find("matroska") != std::string::npos;
  if (!header_tells_all) avformat_find_stream_info(format, nullptr);
  add_texts(format->metadata, container == "avi", tags);
  const AVCodec* decoder = nullptr;
  const int index = av_find_best_stream(format, AVMEDIA_TYPE_VIDEO, -1, -1, &decoder, 0);
  const int known = index >= 0 ? index : av_find_best_stream(format, AVMEDIA_TYPE_VIDEO, -1, -1, nullptr, 0);
  if (format->duration > 0) facts.duration_s = static_cast<double>(format->duration) / AV_TIME_BASE;
  if (known < 0) return facts;
  const AVStream* stream = format->streams[known];
  facts.has_video = true;
  add_texts(stream->metadata, container == "avi", tags);
  facts.width = static_cast<uint32_t>(std::max(0, stream->codecpar->width));
  facts.height = static_cast<uint32_t>(std::max(0, stream->codecpar->height));
  const int orientation = orientation_of(stream);
  tags.add_text("av.orientation", std::to_string(orientation));
  const Codec codec = index >= 0 && decoder != nullptr ? open_codec(decoder, stream->codecpar) : nullptr;
  if (!codec || file.is_part()) return facts;
  // Past a black or shaky start, but never far into a long film.
  const auto at = static_cast<int64_t>(std::min(3.0, facts.duration_s / 10) * AV_TIME_BASE);
  if (at > 0) av_seek_frame(format, -1, at, AVSEEK_FLAG_BACKWARD);
  Frame frame = first_frame(input, codec.get(), index);
  if (frame)
    facts.thumbnails = thumbnails_of_frame(
        frame.get(), av_guess_sample_aspect_ratio(format, format->streams[index], frame.get()), orientation);
  return facts;
}

std::vector<Thumbnail> still_by_libav(const SourceFile& file, bool psd, int orientation) {
  constexpr uint64_t kMaxBytes = 256 << 20;
  const AVCodec* decoder = avcodec_find_decoder(psd ? AV_CODEC_ID_PSD : AV_CODEC_ID_BMP);
  if (decoder == nullptr || file.size() > kMaxBytes) return {};
  const Codec codec = open_codec(decoder, nullptr);
  const Packet packet(av_packet_alloc());
  const Frame frame(av_frame_alloc());
  if (!codec || !packet || !frame || av_new_packet(packet.get(), static_cast<int>(file.size())) < 0)
    return {};
  if (file.read_into(0, packet->data, static_cast<size_t>(file.size())) != file.size()) return {};
  if (avcodec_send_packet(codec.get(), packet.get()) < 0 ||
      avcodec_receive_frame(codec.get(), frame.get()) < 0)
    return {};
  return thumbnails_of_frame(frame.get(), AVRational{1, 1}, orientation);
}

}  // namespace shoebox::decoder
