// For a process that has one line to say first: lines below an error wait while this lives, and are told at
// its end, each with its own time.
#pragma once

namespace shoebox::log {

class Hold {
 public:
  Hold();
  ~Hold() { end(); }
  Hold(const Hold&) = delete;
  Hold& operator=(const Hold&) = delete;
  void end();
};

}  // namespace shoebox::log
