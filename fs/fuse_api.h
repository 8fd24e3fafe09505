// The one place that says which libfuse API this is written against: 3.14, with what 3.17 added
// behind a check of FUSE_VERSION.
#pragma once

#ifndef FUSE_USE_VERSION
#define FUSE_USE_VERSION 314
#endif
#include <fuse_lowlevel.h>
