/* Loops compiled for several instruction sets, of which one is picked at start.
 *
 * The order of operations is that of the source in each (-ffp-contract=off), so the bits are the
 * same. */
#ifndef GYRE_CLONES_H
#define GYRE_CLONES_H

#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) &&                             \
    !defined(__SANITIZE_THREAD__) /* which has not begun yet when GCC picks */
#define GYRE_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define GYRE_CLONES
#endif

#endif
