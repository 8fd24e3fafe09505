// The photo set and its oracle, for tests of decoding.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace shoebox {

// Ends with '/'. Empty when the set is not here: the test skips.
inline std::string photos_folder() {
  const char* given = std::getenv("SHOEBOX_PHOTOS");
  const std::string folder =
      std::string(given != nullptr ? given : SHOEBOX_SOURCE_DIR "/../shared/photos") + "/";
  return access((folder + "MANIFEST.jsonl").c_str(), R_OK) == 0 ? folder : std::string();
}

// The rows of MANIFEST.jsonl.
inline std::vector<nlohmann::json> read_manifest(const std::string& folder) {
  std::vector<nlohmann::json> rows;
  std::ifstream file(folder + "MANIFEST.jsonl");
  for (std::string line; std::getline(file, line);) rows.push_back(nlohmann::json::parse(line));
  return rows;
}

}  // namespace shoebox

#define SHOEBOX_NEED_PHOTOS(folder)           \
  const std::string folder = photos_folder(); \
  if (folder.empty()) GTEST_SKIP() << "no photo set: set SHOEBOX_PHOTOS"
