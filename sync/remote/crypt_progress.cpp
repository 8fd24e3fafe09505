#include "sync/remote/crypt_progress.h"

#include <fmt/format.h>

#include <algorithm>

namespace shoebox {
namespace {

constexpr std::string_view kMagic = "shoebox-crypt 1 ";

// Of which bytes: " SIZE SHA256".
std::string of_bytes(const PutOptions& options) {
  return fmt::format(" {} {}", options.size, options.sha256.hex());
}

}  // namespace

CryptProgress CryptProgress::take_up(const PutOptions& options) {
  CryptProgress progress{CryptNonce::random(), {}};
  const std::string_view saved = options.progress;
  const size_t end = saved.find('\n');
  if (!saved.starts_with(kMagic) || end == std::string_view::npos) return progress;
  progress.below = saved.substr(end + 1);  // even of other bytes: the remote below ends that upload
  std::string_view line = saved.substr(kMagic.size(), end - kMagic.size());
  const std::string_view nonce = line.substr(0, line.find(' '));
  line.remove_prefix(nonce.size());
  const auto known = CryptNonce::from_hex(nonce);
  if (known && line == of_bytes(options)) progress.nonce = *known;
  return progress;
}

std::string CryptProgress::text(const PutOptions& options, const std::string& progress_below) const {
  return fmt::format("{}{}{}\n{}", kMagic, nonce.hex(), of_bytes(options), progress_below);
}

}  // namespace shoebox
