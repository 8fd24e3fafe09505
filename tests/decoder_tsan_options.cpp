// Under ThreadSanitizer only: shoebox-decoder has one thread of its own, and its libraries, which are not
// built for the sanitizer, have threads whose locks it cannot see.

extern "C" const char* __tsan_default_options();
extern "C" const char* __tsan_default_options() { return "report_bugs=0"; }
