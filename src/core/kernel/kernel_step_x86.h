/*
 * kernel_step_x86.h: what engines for any x86-64 share.
 *
 * One step down a tree is four instructions: the comparison leaves its answer
 * in the carry, and adc makes it the lowest bit of the next node's number.
 * Compilers do not find that: they store the flag and add it. See kernel_scalar.h
 * for the meaning.
 */
#ifndef MP_CORE_KERNEL_STEP_X86_H
#define MP_CORE_KERNEL_STEP_X86_H

#include "core/kernel/kernel_run.h"

#define STEP_8(i, nodes, scale, at, gap, row) \
	do { \
		size_t		cell_; \
		size_t		rank_; \
		__asm__ ("movzbl %c[a](%[b],%[n],%c[s]), %k[cell]\n\t" \
				 "movzbl 1(%[r],%[cell],2), %k[rank]\n\t" \
				 "cmpb %b[rank], %c[a]+%c[g](%[b],%[n],%c[s])\n\t" \
				 "adcl %k[n], %k[n]" \
				 : [n] "+r" (i), [cell] "=&r" (cell_), [rank] "=&r" (rank_) \
				 : [b] "r" (nodes), [s] "i" (scale), [a] "i" (at), [g] "i" (gap), [r] "r" (row) \
				 : "cc", "memory"); \
	} while (0)

#define STEP_16(i, nodes, first, row) \
	do { \
		size_t		node_; \
		size_t		cell_; \
		__asm__ ("movzwl 2*(%c[f])(%[b],%[n],2), %k[node]\n\t" \
				 "movzbl %b[node], %k[cell]\n\t" \
				 "cmpw (%[r],%[cell],2), %w[node]\n\t" \
				 "adcl %k[n], %k[n]" \
				 : [n] "+r" (i), [node] "=&r" (node_), [cell] "=&r" (cell_) \
				 : [b] "r" (nodes), [f] "i" (first), [r] "r" (row) \
				 : "cc", "memory"); \
	} while (0)

#define STEP_32(i, nodes, first, row) \
	do { \
		size_t		node_; \
		size_t		cell_; \
		__asm__ ("movl 4*(%c[f])(%[b],%[n],4), %k[node]\n\t" \
				 "movzwl %w[node], %k[cell]\n\t" \
				 "cmpl (%[r],%[cell],4), %k[node]\n\t" \
				 "adcl %k[n], %k[n]" \
				 : [n] "+r" (i), [node] "=&r" (node_), [cell] "=&r" (cell_) \
				 : [b] "r" (nodes), [f] "i" (first), [r] "r" (row) \
				 : "cc", "memory"); \
	} while (0)

#define RIGHT_16(node, row) ((node) < (row)[(uint8_t) (node)])
#define RIGHT_32(node, row) ((node) < (row)[(uint16_t) (node)])

#include <emmintrin.h>

/*
 * Both cells of n slots out of their ranks, 16 at a time: see kernel_scalar.h.
 * There is room for a multiple of 16, so what lies beyond n does no harm.
 */
static inline void
mp_spread_x86(const uint8_t *ranks, uint32_t n, uint32_t first_right, uint16_t *row)
{
	__m128i		slots = _mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
	__m128i		to_right = _mm_set1_epi8((char) first_right);

	for (uint32_t i = 0; i < n; i += 16)
	{
		__m128i		left = _mm_loadu_si128((const __m128i *) (ranks + i));
		__m128i		right = _mm_sub_epi8(left, _mm_set1_epi8(1));
		__m128i		right_slots = _mm_add_epi8(slots, to_right);
		__m128i    *to = (__m128i *) (row + i);

		_mm_storeu_si128(to, _mm_unpacklo_epi8(slots, left));
		_mm_storeu_si128(to + 1, _mm_unpackhi_epi8(slots, left));
		_mm_storeu_si128(to + first_right / 8, _mm_unpacklo_epi8(right_slots, right));
		_mm_storeu_si128(to + first_right / 8 + 1, _mm_unpackhi_epi8(right_slots, right));
		slots = _mm_add_epi8(slots, _mm_set1_epi8(16));
	}
}

#endif
