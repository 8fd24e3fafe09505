// A verb of the command line: how it is called, what runs, and how the answer is shown. Each file
// in fs/command/ that is named after a verb makes one (or the few of its group); verbs.cpp lists them.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "fs/command/service.h"
#include "store/base/result.h"

namespace shoebox {

class Progress;
struct Composition;
struct OpenRequest;

struct OptionSpec {
  enum class Kind {
    kFlag,         // --all
    kText,         // --older AGE
    kNumber,       // --size N
    kLibraryPath,  // PATH of the drive; given to the service as a path below the mount point
    kName,         // a name, or a PATH of the drive where it has a '/' and lies below the mount point
    kLocalPath,    // FOLDER of this machine; made absolute
  };
  std::string name;  // "--all", "-f,--foreground"; positional: "PATH"
  std::string key;   // in the service's arguments
  Kind kind = Kind::kFlag;
  std::string value;  // what stands for the value in the help: "AGE"
  std::string help;
  bool required = false;
  bool many = false;
};

// What a front end that does more than ask the library needs.
struct FrontEnd {
  const Composition& composition;
  const nlohmann::json& arguments;
  CancelToken cancel;
  bool json = false;
  std::string working_directory;
};

struct Verb {
  std::string name;  // "evict"; in a group: "trash list"
  std::string summary;
  std::string examples;  // lines of "command   what it does"
  std::vector<OptionSpec> options;

  // Runs where the library is open. Empty for verbs that are `run` alone.
  Service service;
  // Whether uploads, decoding and eviction must run when nothing is mounted and the command opens
  // the library itself.
  bool needs_background = false;

  // How that library is opened, where it is not as others do; `arguments` as the service gets them.
  std::function<Status(const nlohmann::json& arguments, OpenRequest&)> open;

  // Refuses before anything is asked, for reasons of the terminal; empty: nothing to refuse.
  std::function<Status(bool json)> refuse;
  // Shows the answer to a person on stdout. `arguments` as the service got them.
  std::function<void(const nlohmann::json& result, const nlohmann::json& arguments)> print;
  // Interim answers are {"done", "total", "text"} and {"note"}; a verb whose are not says here how they
  // read as such. With --json these are printed as they come, one a line.
  std::function<nlohmann::json(const nlohmann::json& interim)> interim_progress;
  // The exit code for an answer that is no error; empty: 0.
  std::function<int(const nlohmann::json& result)> exit_code;
  // In place of a service: runs in the command's process. Errors are printed by the caller.
  std::function<Result<int>(FrontEnd&)> run;
};

// All verbs, in the order of the help.
const std::vector<Verb>& verbs();

// One each; see the files of these names.
Verb mount_verb();
Verb status_verb();
Verb import_verb();
Verb adopt_verb();
Verb export_verb();
std::vector<Verb> backup_verbs();
std::vector<Verb> remote_verbs();
Verb remote_takeover_verb();
Verb evict_verb();
std::vector<Verb> pin_verbs();
Verb thumbnail_verb();
std::vector<Verb> trash_verbs();
std::vector<Verb> version_verbs();
Verb verify_verb();
Verb fsck_verb();
Verb rebuild_verb();
Verb config_check_verb();
Verb config_reload_verb();

// Writes to stdout, or to stderr as "shoebox: …"; control characters in what is written are escaped
// by the caller (escape.h) where names of others stand.
void say(std::string_view line);
void complain(std::string_view line);

}  // namespace shoebox
