/*
 * gauss.h: Gauss-Legendre quadrature.
 */
#ifndef MP_CORE_GAUSS_H
#define MP_CORE_GAUSS_H

/* Nodes and weights with n points on [0, 1], exact for polynomials up to degree 2 n - 1. */
extern void mp_gauss_legendre(int n, double *t, double *weight);

#endif
