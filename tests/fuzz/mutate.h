// Makes inputs of inputs for the short runs, where no coverage guides: the same ones each time.
#pragma once

#include <random>
#include <string>
#include <vector>

namespace shoebox::fuzz {

// One to four changes of one of the seeds: bits, bytes, spans cut out, doubled or taken from another seed,
// numbers made extreme. REQUIRES: there is a seed.
std::string mutated(const std::vector<std::string>& seeds, std::mt19937_64& random);

}  // namespace shoebox::fuzz
