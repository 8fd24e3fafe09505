// What a report calls a content.
#pragma once

#include <string>

#include "store/base/ids.h"

namespace shoebox {

class Library;

// The path of some name by which the content is known, else its number. Reads the catalog. Threads: any.
std::string name_of_content(Library& library, ContentNo content);

}  // namespace shoebox
