// What a command that handles many files says of them: exact counts, and a list of those files of
// which there is something to say. Used by one thread.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "fs/command/service.h"

namespace shoebox {

class FileReport {
 public:
  // `counts`: what result() names, also when it is 0.
  FileReport(ServiceContext& context, std::vector<std::string> counts);

  // One line now, and an entry of the list: {"path", "what", "why"}.
  void list(const std::string& path, const std::string& what, const std::string& why);
  void count(const std::string& key, uint64_t by = 1) { counts_[key] += by; }
  // The counts, "list", and "list_is_cut": an answer is one line of bounded length.
  [[nodiscard]] nlohmann::json result() const;

 private:
  ServiceContext& context_;
  nlohmann::json list_ = nlohmann::json::array();
  bool cut_ = false;
  std::map<std::string, uint64_t> counts_;
};

}  // namespace shoebox
