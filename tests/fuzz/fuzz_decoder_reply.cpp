// What shoebox-decoder answers: a hostile photo may have taken it over.
#include <cmath>

#include "store/decode/wire.h"
#include "target.h"

namespace shoebox::fuzz {
namespace {

std::vector<std::string> seeds() {
  DecodedMedia media;
  media.info.kind = MediaKind::kOther;
  const std::string bare = wire::encode(media);
  media.info.kind = MediaKind::kPhoto;
  media.info.mime = "image/jpeg";
  media.info.date = LocalDate{2023, 7, 14, 10, 11, 12};
  media.info.utc_offset_minutes = 120;
  media.info.latitude = 41.5;
  media.info.longitude = 12.5;
  media.info.people = {"Anna", "\xd0\x97\xd0\xbe\xd1\x8f"};
  media.info.tags = {"beach"};
  media.info.make = "Canon";
  media.info.caption = "sea";
  media.thumbnails = {{256, "\xff\xd8\xff small"}, {1024, "\xff\xd8\xff large"}};
  return {bare, wire::encode(media), wire::encode_ready(), wire::encode(wire::Request{"a.jpg", {1, 2}})};
}

void run(std::string_view bytes) {
  (void)wire::parse_ready(bytes);
  (void)wire::parse_request(bytes);
  const auto media = wire::parse_reply(bytes);
  if (!media) {
    refused_well(media.status(), {Code::kDataLoss});
    return;
  }
  const MediaInfo& info = media->info;
  for (const auto* names : {&info.people, &info.tags}) {
    holds(names->size() <= wire::kMaxNames, "names are bounded");
    for (const std::string& name : *names) {
      holds(!name.empty() && name.size() <= wire::kMaxNameBytes && wire::is_utf8(name), "each is a name");
    }
  }
  holds(wire::is_utf8(info.caption) && info.caption.size() <= wire::kMaxCaptionBytes, "so is the caption");
  if (info.latitude) holds(std::abs(*info.latitude) <= 90 && info.longitude, "a place is on earth");
  if (info.date) holds(info.date->month <= 12 && info.date->day <= 31, "a date is in the calendar");
  const std::string again = wire::encode(*media);
  const auto back = wire::parse_reply(again);
  holds(back.is_ok() && wire::encode(*back) == again, "what was read is written and read alike");
}

}  // namespace

const Target kDecoderReply{"decoder_reply", seeds, run};

}  // namespace shoebox::fuzz
