/* BEGIN_TARGET("avx2") … END_TARGET compiles the functions in between for the given instruction set, so that all files
 * share the same compiler flags. */
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
