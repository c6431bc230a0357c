/* BEGIN_TARGET("avx2") … END_TARGET compiles the functions between for a processor with those instructions: a file for
 * each path, and no compiler flags that differ from file to file. */
#ifndef RADIO_TARGET_H
#define RADIO_TARGET_H

#define PRAGMA(text) _Pragma(#text)
#ifdef __clang__
#define BEGIN_TARGET(features) PRAGMA(clang attribute push(__attribute__((target(features))), apply_to = function))
#define END_TARGET _Pragma("clang attribute pop")
#else
#define BEGIN_TARGET(features) _Pragma("GCC push_options") PRAGMA(GCC target(features))
#define END_TARGET _Pragma("GCC pop_options")
#endif

#endif
