/*
 * kernel_step_x86.h: one step down a tree in four instructions, on any x86-64.
 *
 * The comparison leaves its answer in the carry, and adc makes it the lowest
 * bit of the next node's number. Compilers do not find that: they store the flag
 * and add it. See kernel_walk.h for the meaning.
 */
#ifndef MP_CORE_KERNEL_STEP_X86_H
#define MP_CORE_KERNEL_STEP_X86_H

#define STEP_16(i, nodes, row) \
	do { \
		size_t		node_; \
		size_t		cell_; \
		__asm__ ("movzwl (%[b],%[n],2), %k[node]\n\t" \
				 "movzbl %b[node], %k[cell]\n\t" \
				 "cmpw (%[r],%[cell],2), %w[node]\n\t" \
				 "adcl %k[n], %k[n]" \
				 : [n] "+r" (i), [node] "=&r" (node_), [cell] "=&r" (cell_) \
				 : [b] "r" (nodes), [r] "r" (row) \
				 : "cc", "memory"); \
	} while (0)

#define STEP_32(i, nodes, row) \
	do { \
		size_t		node_; \
		size_t		cell_; \
		__asm__ ("movl (%[b],%[n],4), %k[node]\n\t" \
				 "movzwl %w[node], %k[cell]\n\t" \
				 "cmpl (%[r],%[cell],4), %k[node]\n\t" \
				 "adcl %k[n], %k[n]" \
				 : [n] "+r" (i), [node] "=&r" (node_), [cell] "=&r" (cell_) \
				 : [b] "r" (nodes), [r] "r" (row) \
				 : "cc", "memory"); \
	} while (0)

#define RIGHT_16(node, row) ((node) < (row)[(uint8_t) (node)])
#define RIGHT_32(node, row) ((node) < (row)[(uint16_t) (node)])

#endif
