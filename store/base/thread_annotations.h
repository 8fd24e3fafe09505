// Lock rules that clang checks (-Wthread-safety); empty for other compilers.
#pragma once

#if defined(__clang__)
#define SHOEBOX_ANNOTATION(x) __attribute__((x))
#else
#define SHOEBOX_ANNOTATION(x)
#endif

#define GUARDED_BY(x) SHOEBOX_ANNOTATION(guarded_by(x))
#define REQUIRES(...) SHOEBOX_ANNOTATION(requires_capability(__VA_ARGS__))
#define EXCLUDES(...) SHOEBOX_ANNOTATION(locks_excluded(__VA_ARGS__))
#define ACQUIRE(...) SHOEBOX_ANNOTATION(acquire_capability(__VA_ARGS__))
#define RELEASE(...) SHOEBOX_ANNOTATION(release_capability(__VA_ARGS__))
#define TRY_ACQUIRE(...) SHOEBOX_ANNOTATION(try_acquire_capability(__VA_ARGS__))
#define CAPABILITY(x) SHOEBOX_ANNOTATION(capability(x))
#define SCOPED_CAPABILITY SHOEBOX_ANNOTATION(scoped_lockable)
#define NO_THREAD_SAFETY_ANALYSIS SHOEBOX_ANNOTATION(no_thread_safety_analysis)
