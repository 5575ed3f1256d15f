/*
 * cpu.h: what the processor, and the operating system with it, can do.
 */
#ifndef MP_CPU_H
#define MP_CPU_H

#define MP_CPU_SSE42 1
#define MP_CPU_AVX2 2			/* and BMI1, BMI2, POPCNT */
#define MP_CPU_AVX512 4			/* F, BW, VL, DQ, VBMI and VPOPCNTDQ, and all of AVX2's */

extern unsigned mp_cpu_features(void);

#endif
