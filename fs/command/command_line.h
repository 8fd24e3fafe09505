// The words of the command line and what they mean. run_command_line() is in composition.h.
#pragma once

#include <string>
#include <vector>

namespace shoebox {

// argv as mount(8) and mount.fuse give it ("/sbin/mount.fuse.shoebox LIB DIR -o rw", "shoebox LIB DIR
// -o rw") -> the same as a person would have typed it, without argv[0]. {"--fake"} alone when mount(8)
// only pretends.
std::vector<std::string> plain_arguments(const std::vector<std::string>& argv);

// The help of the whole program, or of one verb ("trash list"), as --help prints it.
std::string help_text(const std::string& verb);

}  // namespace shoebox
