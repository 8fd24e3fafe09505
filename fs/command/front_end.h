// Runs one verb for one command line: finds the library, asks the mount or opens the library here,
// shows progress and answer.
//
// Runs on the main thread of the command.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace shoebox {

struct Composition;
struct Verb;

struct ParsedCommand {
  const Verb* verb = nullptr;
  std::map<std::string, std::vector<std::string>> values;  // by the option's key; flags have no values
  std::string library;                                     // --library
  bool json = false;
};

inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitInterrupted = 130;  // as shells give for SIGINT

int run_verb(const ParsedCommand& command, const Composition& composition);

}  // namespace shoebox
